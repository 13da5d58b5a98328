"""Until when a release is supported, and which one to begin with."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from config.releases import support
from config.releases.release import Release, Releases
from config.releases.support import Support

RELEASES = Releases(Path(__file__).parents[4] / "config" / "releases").all()
NEXT = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("today", "over", "sentence"),
    [
        (date(2024, 12, 15), False, "supported until 2024-12-16"),
        (date(2024, 12, 16), True, "support ended on 2024-12-16"),
        (date(2026, 1, 1), True, "support ended on 2024-12-16"),
    ],
)
def test_it_ends_on_the_day_of_the_next_release(today: date, over: bool, sentence: str) -> None:
    support_state = Support(release=RELEASES["redwood"], today=today)
    assert (support_state.has_ended, str(support_state)) == (over, sentence)


def test_nobody_begins_with_a_release_that_lacks_something() -> None:
    """However long it is supported; where all lack something there is still one."""
    late = replace(RELEASES["redwood"], support_ends=date(2030, 1, 1), lacks=("Learners open no course.",))
    assert support.newest({**RELEASES, "redwood": late}).name == "verawood"
    assert support.newest({**RELEASES, "redwood": replace(late, lacks=())}).name == "redwood"
    assert support.newest({"redwood": late}).name == "redwood"


def test_what_is_not_supported_says_so_with_its_day_and_the_better_one() -> None:
    (note,) = support.notes(RELEASES["juniper"], RELEASES, NEXT)
    assert note == (
        "release: Open edX Juniper (June 2020): support ended on 2020-12-09 (docs/releases.md); a new portal should have "
        "verawood, supported until 2026-12-09"
    )
    assert support.notes(RELEASES["verawood"], RELEASES, NEXT) == ()
    (alone,) = support.notes(RELEASES["verawood"], RELEASES, date(2027, 1, 1))
    assert alone == "release: Open edX Verawood (June 2026): support ended on 2026-12-09"


@pytest.mark.parametrize("release", RELEASES.values(), ids=list(RELEASES))
def test_a_release_without_its_frontends_says_what_learners_miss(release: Release) -> None:
    """Since Lilac a learner's course page is an MFE; Juniper still has it in the lms."""
    assert release.name == "juniper" or ("mfe" in release.services) != bool(release.lacks)
