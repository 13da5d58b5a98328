"""What happened, held against what was promised."""

import json
from pathlib import Path
from typing import Any

import pytest

from automation.review.redaction import redacted_differences
from automation.runs import engine_check
from automation.runs.deviations import compare
from automation.runs.plan import SECRET, Change, Plan
from automation.runs.unknown import UNKNOWN
from tests.unit.automation.runs.official_plugin import as_the_official_plugin, recorded_change

URN = "urn:pulumi:acme::portals::p$docker:index/container:Container::lms"


def made(op: str = "update", urn: str = URN, **after: Any) -> Change:
    return Change(urn=urn, op=op, after=after)


def kinds(promised: list[Change], happened: list[Change], *failed: str) -> list[tuple[str, str]]:
    deviations = compare(Plan(tenant="acme", changes=tuple(promised)), tuple(happened), failed)
    return [(each.kind, each.path) for each in deviations]


@pytest.mark.parametrize(
    ("promised", "happened", "failed", "expected"),
    [
        ([made(memory=1)], [made(memory=1)], (), []),
        ([made(memory=1)], [], (), [("not-done", "")]),
        ([], [made(memory=1)], (), [("not-promised", "")]),
        ([made(memory=1)], [made("replace", memory=1)], (), [("other", "")]),
        ([made(memory=1)], [made(memory=2)], (), [("property", "memory")]),
        ([made(memory=1)], [made()], (), [("property", "memory")]),
        ([made()], [], (URN,), [("failed", "")]),
        ([made(id=sorted(UNKNOWN)[0])], [made(id="abc")], (), []),
        ([made(nets=[{"name": sorted(UNKNOWN)[0]}])], [made(nets=[{"name": "n"}])], (), []),
        ([made(nets=[])], [made(nets=["n"])], (), [("property", "nets")]),
        ([made(uploads=SECRET)], [made(uploads=[{"file": "x"}])], (), []),
    ],
)
def test_promised_and_happened(
    promised: list[Change], happened: list[Change], failed: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    assert kinds(promised, happened, *failed) == expected


def test_each_difference_is_a_sentence() -> None:
    (deviation,) = compare(Plan(tenant="acme", changes=(made(memory=1),)), (made(memory=2),))
    assert str(deviation) == "lms memory: the preview promised 1, but 2 was sent"


RECORDED = Path(__file__).parents[3] / "contract" / "data"


CASES = [
    (name, case)
    for name, case in json.loads((RECORDED / "change.json").read_text()).items()
    if case["type"] in engine_check.READINGS
]


@pytest.mark.parametrize(("name", "case"), CASES, ids=[name for name, _ in CASES])
def test_what_a_plugin_keeps_for_itself_is_no_difference(name: str, case: dict[str, Any]) -> None:
    """Every recorded change, once as the program says it and once as the official plugin hands it on."""
    before, after = case["before"], case["after"]
    detailed = {
        path: {"diffKind": kind, "inputDiff": True} for path, kind in (case["detailedDiff"] or {}).items()
    }
    plain = recorded_change(case["type"], before, after, detailedDiff=detailed)
    own = {**detailed, "__defaults": {"diffKind": "update"}, "labels[0].__defaults": {"diffKind": "add"}}
    handed = recorded_change(
        case["type"], as_the_official_plugin(before), as_the_official_plugin(after), detailedDiff=own
    )
    assert handed == plain
    assert "__defaults" not in str((handed.before, handed.after, list(redacted_differences(handed))))
    promised = Plan(tenant="acme", changes=(plain,))
    assert compare(promised, (handed,)) == ()
    assert compare(Plan(tenant="acme", changes=(handed,)), (plain,)) == ()
