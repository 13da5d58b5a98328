"""Names on an engine, and which of them collide."""

import pytest

from config.values import names
from tests.unit.config.values.accepts import accepts

GROUPS = {"lms-workers-heavy", "cms-workers-lms", "cms-workers-x-mysql"}


def test_names_clash_when_only_a_part_of_a_part_tells_them_apart() -> None:
    parts = frozenset({"certs", "lp-certs"})
    assert names.clashes(["acme", "acme-lp"], parts) == [("acme", "acme-lp")]
    assert names.clashes(["acme", "acme-lp", "acme-x"], frozenset({"certs"})) == []


def test_no_two_tenants_without_a_clash_share_a_name_on_the_engine() -> None:
    tenants = [
        "acme",
        *(f"acme-{part}" for part in names.PARTS),
        "acme-lp",
        "acme-load",
        "acme-edxapp",
        "acme-x",
        *(f"acme-{group}" for group in GROUPS),
    ]
    clashing = {longer for _, longer in names.clashes(tenants)}
    left = [each for each in tenants if each not in clashing]
    made = [name for each in left for name in (each, *(f"{each}-{part}" for part in names.PARTS | GROUPS))]
    assert len(made) == len(set(made))
    assert len(left) > 1


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("abc", True),
        ("123", True),
        ("a-1-b", True),
        ("x" * 30, True),
        ("ops", False),
        ("devops", True),
        ("my-opsys", True),
        ("pulumi", False),
        ("acme\n", False),
    ],
)
def test_a_tenant_s_name(text: str, good: bool) -> None:
    assert accepts(names.tenant, text) == good
