"""Where a tenant's data has been, whatever its file says now."""

from typing import Any

import pytest

from automation.drive.data_locations import (
    DataLocation,
    known_locations,
    location_in_state,
    record,
    recorded_locations,
    unique,
)
from automation.review.change_rules import DataRisk
from automation.review.verdict import judge
from automation.runs.plan import Plan
from automation.stack import Stack
from config.portal import resource_types
from config.portal.resource_types import CONTAINER, DOCKER_PROVIDER
from tests.unit.automation.review.samples import change, container

STORAGE = {"type": resource_types.STORAGE, "outputs": {"directory": "/mnt/old/acme"}}
VOLUME = {
    "type": "docker:index/volume:Volume",
    "inputs": {"driverOpts": {"type": "none", "o": "bind", "device": "/mnt/old/acme/mysql"}},
}
ENGINE = {"type": DOCKER_PROVIDER, "inputs": {"host": "ssh://ops@h1"}}


def state(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"deployment": {"resources": list(resources)}}


@pytest.mark.parametrize(
    ("checkpoint", "place"),
    [
        (state(), None),
        ({}, None),
        (state(ENGINE), None),
        (state(STORAGE), DataLocation(root="/mnt/old")),
        (state(ENGINE, STORAGE), DataLocation(root="/mnt/old", host="ssh://ops@h1")),
        (state(ENGINE, VOLUME), DataLocation(root="/mnt/old", host="ssh://ops@h1")),
        (
            state({"type": DOCKER_PROVIDER}, {"type": resource_types.STORAGE}, VOLUME),
            DataLocation(root="/mnt/old"),
        ),
    ],
)
def test_a_state_says_where_the_data_is(checkpoint: dict[str, Any], place: DataLocation | None) -> None:
    assert location_in_state(checkpoint) == place


def test_places_are_remembered_the_latest_first(stack_with_tags: Stack) -> None:
    assert recorded_locations(stack_with_tags) == ()
    stack_with_tags.tag("somebody's", "own")
    record(stack_with_tags, DataLocation(root="/mnt/old", drive="a"))
    record(stack_with_tags, DataLocation(root="/mnt/new", drive="b"))
    assert [(each.root, each.drive) for each in recorded_locations(stack_with_tags)] == [
        ("/mnt/new", "b"),
        ("/mnt/old", "a"),
    ]
    record(stack_with_tags, DataLocation(root="/mnt/old", drive="a"))
    assert [each.root for each in recorded_locations(stack_with_tags)] == ["/mnt/old", "/mnt/new"]
    # Nothing is written for what is known, and a drive's id is not forgotten for want of one.
    before = stack_with_tags.tags()
    record(stack_with_tags, DataLocation(root="/mnt/old", drive="a"))
    record(stack_with_tags, DataLocation(root="/mnt/old"))
    assert stack_with_tags.tags() == before
    places = known_locations(stack_with_tags, state(STORAGE))
    assert [each.root for each in places] == ["/mnt/old", "/mnt/new"]


def test_each_directory_is_looked_at_once() -> None:
    one, two = DataLocation(root="/a", drive="x"), DataLocation(root="/a", host="ssh://h")
    assert unique([one, two, DataLocation(root="/a")]) == (one, two)


def test_a_portal_that_begins_elsewhere_leaves_its_data_behind() -> None:
    """After a destroy the state knows nothing any more, and everything of a preview is new."""
    init = container(
        "storage-init", "ops", volumes=[{"containerPath": "/portal", "hostPath": "/mnt/new/acme"}]
    )
    made = change("create", CONTAINER, "storage-init", None, init)
    lms = change("create", CONTAINER, "lms", None, container())

    def judged(left: str) -> DataRisk:
        return judge(Plan(tenant="acme", changes=(made, lms), left=left)).data

    assert judged("") is DataRisk.NONE
    assert judged("/mnt/new/acme") is DataRisk.NONE
    assert judged("/mnt/old/acme") is DataRisk.LOSS
    worst = judge(Plan(tenant="acme", changes=(made, lms), left="/mnt/old/acme")).judged[0]
    assert worst.change.name == "storage-init"
    assert "the data of acme is in /mnt/old/acme and is left behind" in worst.findings[0].reason


@pytest.fixture(autouse=True)
def this_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
