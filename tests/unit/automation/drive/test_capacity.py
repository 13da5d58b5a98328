"""Whether a host has room: refused where a portal would not start, told where it is tight."""

from pathlib import Path

import pytest

from automation.drive.capacity import LEAST_DISK_MIB, NoRoom, Room, at_least, at_most, judge
from config.tenant.tenant import Tenant
from tests.programs import TENANTS, released

ACME = Tenant.load("acme", TENANTS)


def test_the_limits_count_every_container_that_stays_up() -> None:
    groups = sum(each.memory for each in ACME.worker_groups.values())
    assert groups > 0
    assert at_most(ACME) == groups + sum(ACME.sizes[name].memory for name in ACME.services)
    assert 0 < at_least(ACME) < at_most(ACME)


def test_public_images_and_worker_groups_need_what_they_need_to_reload(tmp_path: Path) -> None:
    name, group = next(iter(ACME.worker_groups.items()))
    assert ACME.least_memory(name) == ACME.services["lms-workers"].memory_min <= group.memory
    hub = released("acme", "redwood", tmp_path)
    # The front ends are among the public images alone.
    both = set(hub.services) & set(ACME.services)
    more = sum(
        hub.least_memory(each) - (ACME.least_memory(each) if each in both else 0) for each in hub.services
    )
    groups = sum(ACME.least_memory(each) for each in ACME.worker_groups)
    assert hub.least_memory("lms") == hub.services["lms"].hub.memory_min > ACME.least_memory("lms")
    assert at_least(hub) == at_least(ACME) - groups + more


def test_plenty_is_silence() -> None:
    assert judge(Room(memory=at_most(ACME), disk=LEAST_DISK_MIB), ACME) == ""


def test_tight_is_told() -> None:
    assert f"takes {at_most(ACME)}" in judge(Room(memory=at_most(ACME) - 1, disk=LEAST_DISK_MIB), ACME)


@pytest.mark.parametrize(
    ("room", "why"),
    [
        (Room(memory=at_least(ACME) - 1, disk=LEAST_DISK_MIB), "MiB of memory free"),
        (Room(memory=at_most(ACME), disk=LEAST_DISK_MIB - 1), "free some space on the drive"),
    ],
)
def test_too_little_is_refused(room: Room, why: str) -> None:
    with pytest.raises(NoRoom, match=why):
        judge(room, ACME)
