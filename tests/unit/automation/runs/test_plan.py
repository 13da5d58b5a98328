"""The engine's events as a plan: one change a resource, each property with its before and after."""

from typing import Any

import pytest
from pulumi.automation.events import StepEventMetadata

from automation.runs.plan import MISSING, SECRET, Change, Plan, changes, parts, value_at

CONTAINER = "urn:pulumi:acme::portals::p$docker:index/container:Container::"
COMPONENT = "urn:pulumi:acme::portals::portal:index:Portal::acme"


def state(urn: str, inputs: dict[str, Any] | None, custom: bool = True) -> dict[str, Any] | None:
    if inputs is None:
        return None
    kind = urn.split("::")[-2].split("$")[-1]
    return {
        "type": kind,
        "urn": urn,
        "id": "1",
        "parent": "",
        "provider": "",
        "custom": custom,
        "inputs": inputs,
    }


def step(
    op: str,
    name: str = "lms",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    custom: bool = True,
    **more: Any,
) -> StepEventMetadata:
    urn = CONTAINER + name if custom else COMPONENT
    return StepEventMetadata.from_json(
        {
            "op": op,
            "urn": urn,
            "type": "docker:index/container:Container",
            "provider": "",
            "old": state(urn, before, custom),
            "new": state(urn, after, custom),
            **more,
        }
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("memory", ("memory",)),
        ("envs[3]", ("envs", 3)),
        ("labels[0].value", ("labels", 0, "value")),
        ('tmpfs["/run/x.y"]', ("tmpfs", "/run/x.y")),
        ('a["b\\"c"].d', ("a", 'b"c', "d")),
    ],
)
def test_a_property_path_is_taken_apart(path: str, expected: tuple[str | int, ...]) -> None:
    assert parts(path) == expected


def test_what_stands_at_a_path() -> None:
    properties = {"labels": [{"value": "x"}], "uploads": SECRET}
    assert value_at(properties, "labels[0].value") == "x"
    assert value_at(properties, "labels[1].value") is MISSING
    assert value_at(properties, "uploads[0].content") == SECRET
    assert value_at(properties, "absent") is MISSING


def test_what_stays_the_same_and_components_are_no_changes() -> None:
    listed = changes([step("same", before={}, after={}), step("create", after={}, custom=False)])
    assert listed == ()


def test_an_update_tells_each_property() -> None:
    one = step(
        "update",
        before={"memory": 512},
        after={"memory": 768},
        detailedDiff={"memory": {"diffKind": "update", "inputDiff": True}},
    )
    (change,) = changes([one])
    assert (change.op, change.name, change.type, change.properties) == (
        "update",
        "lms",
        "docker:index/container:Container",
        ("memory",),
    )
    assert [(each.before, each.after, each.replaces) for each in change.differences] == [(512, 768, False)]


def test_the_steps_of_a_replacement_are_one_change() -> None:
    before, after = {"image": "a:1"}, {"image": "a:2"}
    diff = {"image": {"diffKind": "update-replace", "inputDiff": True}}
    listed = changes(
        [
            step("delete-replaced", before=before),
            step("replace", before=before, after=after, detailedDiff=diff),
            step("create-replacement", before=before, after=after),
        ]
    )
    assert [(each.op, each.differences[0].replaces) for each in listed] == [("replace", True)]
    assert (listed[0].before, listed[0].after) == (before, after)


def test_what_is_made_anew_under_another_name_is_deleted_under_its_own() -> None:
    """A resource with an alias: the engine tells its end by the old name, its beginning by the new one."""
    before, after = {"name": "acme-private"}, {"name": "acme-data"}
    listed = changes(
        [
            step("delete-replaced", "private", before=before),
            step("replace", "data", before=before, after=after),
            step("create-replacement", "data", before=before, after=after),
        ]
    )
    assert [(each.name, each.op) for each in listed] == [("data", "replace"), ("private", "delete")]
    assert listed[1].before == before


def test_without_a_detailed_difference_the_names_must_do() -> None:
    (change,) = changes([step("update", before={"a": 1}, after={"b": 2}, diffs=["a", "b"])])
    assert [(each.path, each.kind) for each in change.differences] == [("a", "delete"), ("b", "add")]


def test_the_order_is_by_name_whatever_the_engine_did_first() -> None:
    listed = changes([step("create", "redis", after={}), step("create", "lms", after={})])
    assert [each.name for each in listed] == ["lms", "redis"]


def test_a_plan_is_empty_only_when_the_state_stays_too() -> None:
    assert Plan(tenant="acme", changes=()).empty
    assert not Plan(tenant="acme", changes=(), bookkeeping=True).empty
    assert not Plan(tenant="acme", changes=(Change(urn=CONTAINER + "lms", op="create"),)).empty
