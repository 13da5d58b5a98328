"""docs/deviations.md and docs/security.md: every row names tests that there are, and every recorded fault has its row."""

import ast
import json
import re
from pathlib import Path

import pytest

from tests.contract.test_plugin_conformance import BETTER

ROOT = Path(__file__).parents[3]
DEVIATIONS, SECURITY = (ROOT / "docs" / name for name in ("deviations.md", "security.md"))
DATA = ROOT / "tests" / "contract" / "data"
TEST = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")


def rows(page: Path = DEVIATIONS) -> list[list[str]]:
    """The cells of each row of each table of a page, without the heads."""
    lines = [line for line in page.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    heads = {place - 1 for place, row in enumerate(cells) if set("".join(row)) == {"-"}}
    return [row for place, row in enumerate(cells) if place not in heads and place - 1 not in heads]


def functions(path: str) -> set[str]:
    """The functions that a file has at its top."""
    tree = ast.parse((ROOT / path).read_text())
    return {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


@pytest.mark.parametrize(
    ("page", "least"), [(DEVIATIONS, 30), (SECURITY, 15)], ids=["deviations", "security"]
)
def test_every_row_names_tests_that_there_are(page: Path, least: int) -> None:
    assert len(rows(page)) >= least
    for row in rows(page):
        named = TEST.findall(row[-1])
        assert named, row
        assert [name for path, name in named if name not in functions(path)] == [], row


def test_every_case_of_a_row_was_recorded_and_every_recorded_fault_has_a_row() -> None:
    again = json.loads((DATA / "again.json").read_text())
    change, error = (json.loads((DATA / f"{name}.json").read_text()) for name in ("change", "error"))
    named_cases = {case for row in rows() for case in re.findall(r"`([a-z-]+)`", row[0])} - {"rm"}
    unseen = {
        name
        for name, case in change.items()
        if case["ops"] == ["same"] or (case["ops"] == ["update"] and case["failed"])
    }
    assert unseen >= {"env-removed", "env-order", "label-removed", "memory-alone-above-swap"}
    perpetual = {case for cases in again.values() for case in cases}
    failing = {name for name, case in error.items() if case["preview"] == "ok"} - {"remote-image-missing"}
    assert unseen | set(BETTER) | perpetual | failing <= named_cases
    assert named_cases <= change.keys() | error.keys() | perpetual
