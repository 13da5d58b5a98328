"""What a killed run leaves behind is recognised from plain data."""

import pytest

from automation.runs.recovery import failed_gates, half_made, pending_operations, stopping, without_pending
from config.portal.resource_types import CONTAINER


def exported(*pending: dict[str, object], resources: tuple[dict[str, object], ...] = ()) -> dict[str, object]:
    return {"version": 3, "deployment": {"resources": list(resources), "pending_operations": list(pending)}}


def operation(kind: str, name: object, type_: str = CONTAINER) -> dict[str, object]:
    return {"type": kind, "resource": {"type": type_, "inputs": {"name": name}}}


@pytest.mark.parametrize(
    ("pending", "expected"),
    [
        ([], []),
        ([operation("creating", "acme-lms")], ["acme-lms"]),
        ([operation("deleting", "acme-lms")], []),
        ([operation("updating", "acme-lms")], []),
        ([operation("creating", "x", "random:index/randomPassword:RandomPassword")], []),
        ([operation("creating", "acme-private", "docker:index/network:Network")], ["acme-private"]),
        ([operation("creating", None)], []),
        ([{"type": "creating", "resource": {"type": CONTAINER}}], []),
    ],
)
def test_only_what_the_engine_was_making_is_half_made(
    pending: list[dict[str, object]], expected: list[str]
) -> None:
    told = exported(*pending)
    assert [name for _, name, _ in half_made(pending_operations(told), told)] == expected


def test_half_made_knows_the_ids_that_the_state_has() -> None:
    told = exported(operation("creating", "acme-lms"), resources=({"type": CONTAINER, "id": "abc"},))
    assert half_made(pending_operations(told), told)[0][2] == frozenset({"abc"})


def test_a_state_without_pending_keeps_all_else() -> None:
    told = exported(operation("creating", "x"), resources=({"type": CONTAINER, "id": "abc"},))
    assert without_pending(told) == {
        "version": 3,
        "deployment": {"resources": [{"type": CONTAINER, "id": "abc"}]},
    }


def test_an_empty_stack_has_nothing_pending() -> None:
    assert pending_operations({"version": 3, "deployment": None}) == []
    assert failed_gates({"version": 3, "deployment": {"resources": None}}) == []


@pytest.mark.parametrize(
    ("resource", "failed"),
    [
        ({"type": CONTAINER, "urn": "u", "inputs": {"attach": True}, "outputs": {"exitCode": 3}}, True),
        ({"type": CONTAINER, "urn": "u", "inputs": {"attach": True}, "outputs": {"exitCode": 0}}, False),
        ({"type": CONTAINER, "urn": "u", "inputs": {}, "outputs": {"exitCode": 137}}, False),
        ({"type": CONTAINER, "urn": "u", "inputs": {"attach": True}, "outputs": {}}, False),
    ],
)
def test_a_failed_gate_is_a_job_with_an_exit_code(resource: dict[str, object], failed: bool) -> None:
    assert failed_gates(exported(resources=(resource,))) == (["u"] if failed else [])


def deleting(urn: str, identity: str, type_: str = CONTAINER) -> dict[str, object]:
    return {"type": "deleting", "resource": {"type": type_, "urn": urn, "id": identity}}


def test_a_container_that_was_told_to_stop_and_runs_on_is_known() -> None:
    pending = [
        deleting("worker", "a"),
        deleting("gone", "b"),
        deleting("net", "a", "x"),
        operation("creating", "c"),
    ]
    assert stopping(pending, {"a"}) == ("worker",)
