"""Which release may follow which, and what is said of a step that may not be taken."""

from datetime import date
from pathlib import Path

import pytest

from config.releases.release import Release, Releases
from config.releases.upgrades import DeployedRelease, before, path, unreadable_stores, why_refused

RELEASES = Releases(Path(__file__).parents[4] / "config" / "releases").all()


def force(path: str) -> DeployedRelease:
    release, _, images = path.partition("/")
    return DeployedRelease(release=release, images=images)


@pytest.mark.parametrize(
    ("now", "wanted", "reason"),
    [
        ("redwood/packages", "redwood/packages", ""),
        ("juniper/packages", "redwood/packages", ""),
        ("redwood/hub", "verawood/hub", ""),
        (
            "juniper/hub",
            "verawood/hub",
            "release: verawood cannot follow juniper; upgrade juniper → redwood → verawood, next `release: redwood`, "
            "one `up` each",
        ),
        (
            "verawood/hub",
            "redwood/hub",
            "release: the portal has verawood, which is newer than redwood, and data only goes forward; keep "
            "`release: verawood`, or restore a backup of redwood into a new tenant",
        ),
        (
            "verawood/hub",
            "juniper/hub",
            "release: the portal has verawood, which is newer than juniper, and data only goes forward; keep "
            "`release: verawood`, or restore a backup of juniper into a new tenant",
        ),
        (
            "juniper/hub",
            "redwood/hub",
            "release: redwood follows juniper, but elasticsearch 7.17.13 cannot open the files of 1.5.2; "
            "mongo 7.0.7 cannot open the files of 3.6.18; mysql 8.4.0 cannot open the files of 5.6.49; "
            "rabbitmq 3.13.7 cannot open the files of 3.6.10; create a new tenant and move the data by dumps",
        ),
        (
            "redwood/packages",
            "redwood/hub",
            "images: the portal's data was written by packages images, which those of hub cannot read; keep "
            "`images: packages`, or create a new tenant and move the data by dumps",
        ),
        (
            "willow/packages",
            "redwood/packages",
            "release: the portal has willow, which config/releases does not have; use the checkout that "
            "brought the portal up",
        ),
    ],
)
def test_a_step_is_taken_or_refused_in_these_words(now: str, wanted: str, reason: str) -> None:
    assert why_refused(force(now), force(wanted), RELEASES) == reason


def test_a_new_portal_may_have_any_release() -> None:
    assert not why_refused(None, force("verawood/hub"), RELEASES)


def test_what_the_drive_is_told_is_what_the_preview_allows() -> None:
    assert before(force("redwood/packages"), RELEASES) == (
        force("juniper/packages"),
        force("redwood/packages"),
    )
    assert before(force("redwood/hub"), RELEASES) == (force("redwood/hub"),)
    assert before(force("verawood/hub"), RELEASES) == (force("redwood/hub"), force("verawood/hub"))


def test_the_shortest_way_is_taken_and_a_circle_is_no_trap() -> None:
    def made(name: str, *follows: str) -> Release:
        return Release(
            name=name,
            title=name,
            follows=follows,
            cache="a.B",
            support_ends=date(2024, 12, 16),
            support_source="https://docs.example.com",
            services={},
        )

    known = {
        each.name: each
        for each in (made("a", "d"), made("b", "a"), made("c", "b"), made("d", "c", "a"), made("e"))
    }
    assert path("a", "d", known) == ("a", "d")
    assert path("a", "c", known) == ("a", "b", "c")
    assert path("a", "e", known) == ()
    assert path("e", "a", known) == ()


def test_versions_are_compared_by_their_parts() -> None:
    redwood, verawood = RELEASES["redwood"], RELEASES["verawood"]
    assert unreadable_stores(redwood, verawood) == []
    assert unreadable_stores(RELEASES["juniper"], redwood) != []
