"""Every file of tests is in one family; what a family took is told beside what it may take."""

import pytest

from tests.programs import ROOT
from tests.running.families import Family, Spent, family_of, lane_of, load, report

FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py"))
QUICK = Family(name="quick", files=("tests/unit/*",), seconds=10)
PORTAL = Family(name="portal", files=("tests/e2e/test_a.py", "tests/e2e/test_b.py"), seconds=60, lane="oak")
KNOWN = (PORTAL, QUICK)


def test_every_file_is_in_a_family_and_every_pattern_has_a_file() -> None:
    known = load()
    used = {family_of(file, known).name for file in FILES}
    assert used == {each.name for each in known}
    patterns = [pattern for each in known for pattern in each.files]
    assert [each for each in patterns if "*" not in each and each not in FILES] == []
    assert len(patterns) == len(set(patterns))


def test_what_needs_the_engine_for_more_than_one_test_has_a_lane() -> None:
    """Two workers in one file of these would remove each other's containers."""
    known = load()
    loose = {file for file in FILES if not family_of(file, known).lane}
    assert {file for file in loose if "pytest.mark.e2e" in (ROOT / file).read_text()} == {
        "tests/e2e/test_registries.py",
        "tests/security/test_processes.py",
        "tests/unit/running/test_families.py",
    }


def test_the_first_family_that_fits_has_a_test() -> None:
    assert family_of("tests/unit/config/test_a.py::test_one[x::y]", KNOWN) == QUICK
    assert family_of("tests/e2e/test_b.py::Class::test_two", KNOWN) == PORTAL
    with pytest.raises(LookupError, match=r"tests/e2e/test_c\.py is in no family of families\.yml"):
        family_of("tests/e2e/test_c.py::test_three", KNOWN)


def test_a_lane_is_one_workers_and_without_one_a_file_is() -> None:
    a, b = "tests/e2e/test_a.py::test_one", "tests/e2e/test_b.py::test_two"
    assert lane_of(a, KNOWN) == lane_of(b, KNOWN) == "oak"
    assert lane_of("tests/unit/test_c.py::test_three[a@b.example]", KNOWN) == "tests/unit/test_c.py"


def test_families_of_one_lane_stand_together() -> None:
    """A lane's tests are run in the order of the file: no other family's come between."""
    lanes = [each.lane for each in load() if each.lane]
    assert len([lane for place, lane in enumerate(lanes) if lanes[place - 1 : place] != [lane]]) == len(
        set(lanes)
    )


def test_the_report_warns_of_what_took_longer_than_it_may() -> None:
    spent = {"quick": Spent(tests={"a", "b"}, seconds=12.4), "portal": Spent(tests={"c"}, seconds=59.8)}
    assert report(spent, KNOWN, 7.25, 2) == [
        "family      tests  seconds  budget",
        "portal          1       60      60",
        "quick           2       12      10  over its budget",
        "sum             3       72      70",
        "A budget is for a machine that does nothing else; this one's load was 7.2 on 2 cores."
        " tests/running/families.yml has the budgets.",
    ]


def test_within_their_budgets_nothing_is_said_and_what_did_not_run_is_left_out() -> None:
    assert report({"quick": Spent(tests={"a"}, seconds=9.0)}, KNOWN, 7.25, 2) == [
        "family      tests  seconds  budget",
        "quick           1        9      10",
        "sum             1        9      10",
    ]
