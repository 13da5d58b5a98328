"""Recovery: what a killed run left is recognised, and mended only while nobody else has the stack, whatever the backend."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from requests import ReadTimeout

from automation.errors import Locked
from automation.locks.stack_lock import lock_stack
from automation.runs import recovery, unanswered
from automation.runs.recovery import (
    failed_gates,
    half_made_resources,
    pending_operations,
    recover,
    remove_unrecorded,
    urns_being_deleted,
    without_pending,
)
from automation.runs.unanswered import Request
from automation.stack import Stack
from config.portal.resource_types import CONTAINER
from tests.fake_engine import FakeEngine, container

PENDING = [
    {"type": "creating", "resource": {"type": CONTAINER, "urn": "u1", "inputs": {"name": "acme-mysql"}}},
    {"type": "deleting", "resource": {"type": CONTAINER, "urn": "u2", "id": "worker", "inputs": {}}},
]
STATE = {"resources": [{"type": CONTAINER, "urn": "u2", "id": "worker"}], "pending_operations": PENDING}


def engine_with_leftovers() -> FakeEngine:
    """A container half-made, and one that goes on stopping."""
    ours = {"portal.tenant": "acme"}
    return FakeEngine(
        containers={
            "acme-lms-workers": container("worker", labels=ours),
            "acme-mysql": container("half", state="created", labels=ours),
        }
    )


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(recovery, "SETTLE_SECONDS", 0.0)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """In a file backend, as a killed run has left it."""
    made = Stack(name="acme", environ={"PULUMI_BACKEND_URL": f"file://{tmp_path}/state"})
    assert made.checkpoint
    assert made.locks
    made.checkpoint.parent.mkdir(parents=True)
    made.locks.mkdir(parents=True)
    made.checkpoint.write_text(json.dumps({"version": 3, "checkpoint": {"stack": "acme", "latest": STATE}}))
    return made


def test_what_was_half_made_goes_and_what_was_told_to_stop_is_known(stack: Stack) -> None:
    engine = engine_with_leftovers()
    with lock_stack(stack, "up", print) as hold:
        fit = recover(hold, engine, print)
    assert engine.requests == ["stop half", "remove half"]
    assert fit.stopping == ("u2",)
    assert stack.state() == fit.state
    assert "pending_operations" not in fit.state["deployment"]
    assert stack.locks
    assert list(stack.locks.iterdir()) == []


def test_a_second_recovery_finds_nothing_to_do(stack: Stack) -> None:
    with lock_stack(stack, "up", print) as hold:
        recover(hold, engine_with_leftovers(), print)
        engine = engine_with_leftovers()
        recover(hold, engine, print)
    assert engine.requests == []


def test_a_plain_pulumi_that_was_faster_is_left_alone(stack: Stack) -> None:
    """It took Pulumi's lock after ours: nothing of it is removed, and its state stays."""
    engine, before = engine_with_leftovers(), stack.state()
    assert stack.locks
    with lock_stack(stack, "up", print) as hold:
        (stack.locks / "theirs.json").write_text('{"pid": 1, "hostname": "here"}')
        with pytest.raises(Locked, match="being changed by process 1"):
            recover(hold, engine, print)
    assert engine.requests == []
    assert stack.state() == before
    assert [each.name for each in stack.locks.iterdir()] == ["theirs.json"]


@dataclass(frozen=True, kw_only=True)
class Elsewhere(Stack):
    """A stack in a backend without files; it imports unless somebody has it, and keeps what was done."""

    done: list[str] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    is_locked: bool = False

    def state(self) -> dict[str, Any]:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def replace_state(self, state: Any) -> None:
        if self.is_locked:
            raise Locked("the stack is currently locked")
        self.done.append("pending" if "pending_operations" in state["deployment"] else "mended")


def elsewhere(*states: dict[str, Any], is_locked: bool = False) -> Elsewhere:
    exported_states = [{"version": 3, "deployment": each} for each in states]
    return Elsewhere(
        name="acme", environ={"PULUMI_BACKEND_URL": "s3://b"}, states=exported_states, is_locked=is_locked
    )


def recovered(stack: Elsewhere, engine: FakeEngine) -> None:
    with lock_stack(stack, "up", print) as hold:
        # `held` makes a copy that knows of the hold; lists are shared.
        recover(hold, engine, print)


def test_elsewhere_the_backend_says_that_nobody_has_it_before_anything_is_removed() -> None:
    stack, engine = elsewhere(STATE), engine_with_leftovers()
    recovered(stack, engine)
    assert stack.done == ["pending", "mended"]
    assert engine.requests == ["stop half", "remove half"]


def test_elsewhere_a_live_run_loses_nothing() -> None:
    """Its pending operations are in the state, as a dead one's are."""
    stack, engine = elsewhere(STATE, is_locked=True), engine_with_leftovers()
    with pytest.raises(Locked):
        recovered(stack, engine)
    assert (engine.requests, stack.done) == ([], [])


def test_elsewhere_a_state_that_moves_is_not_overwritten() -> None:
    stack, engine = elsewhere(STATE, STATE, {**STATE, "resources": []}), engine_with_leftovers()
    with pytest.raises(Locked, match="was changed during"):
        recovered(stack, engine)
    assert (engine.requests, stack.done) == ([], [])


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
    state = exported(*pending)
    assert [each.name for each in half_made_resources(pending_operations(state))] == expected


def test_what_the_state_has_is_not_half_made() -> None:
    engine = FakeEngine(containers={"acme-lms": container("abc", labels={"portal.tenant": "acme"})})
    state = exported(operation("creating", "acme-lms"), resources=({"type": CONTAINER, "id": "abc"},))
    (half,) = half_made_resources(pending_operations(state))
    recovery.remove_half_made(engine, half, recovery.known_ids(state), "acme", print)
    assert engine.requests == []


def test_another_states_of_the_same_name_is_not_half_made() -> None:
    """Killed while the engine refused it: the name is another checkout's, which says so."""
    theirs = {"portal.tenant": "acme", "portal.owner": "them@b-1"}
    engine = FakeEngine(containers={"acme-storage-init": container("x", labels=theirs)})
    inputs = {"name": "acme-storage-init", "labels": [{"label": "portal.owner", "value": "us@a-2"}]}
    state = exported({"type": "creating", "resource": {"type": CONTAINER, "inputs": inputs}})
    (half,) = half_made_resources(pending_operations(state))
    recovery.remove_half_made(engine, half, frozenset(), "acme", print)
    assert engine.requests == []


def test_a_state_without_pending_keeps_all_else() -> None:
    state = exported(operation("creating", "x"), resources=({"type": CONTAINER, "id": "abc"},))
    assert without_pending(state) == {
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
    assert urns_being_deleted(pending, {"a"}) == ("worker",)


MYSQL = Request(type=CONTAINER, name="acme-mysql", labels={"portal.tenant": "acme"})
ANSWERED_TOO_LATE = [MYSQL, Request(type="random:index/randomPassword:RandomPassword", name="p")]


def removed(engine: FakeEngine, stack: Stack, requests: list[Request]) -> tuple[list[str], list[str]]:
    """What was said, and the names of what is still waited for, once requests without an answer were seen to."""
    messages: list[str] = []
    with lock_stack(stack, "up", print) as hold:
        remove_unrecorded(engine, hold, requests, messages.append)
        return messages, [each.name for each in unanswered.read(hold.folder)]


def test_what_was_made_although_nobody_heard_of_it_is_removed() -> None:
    engine = engine_with_leftovers()
    assert removed(engine, elsewhere(STATE), ANSWERED_TOO_LATE) == (
        ["removed acme-mysql: the engine made it, but its answer came too late"],
        [],
    )
    assert engine.requests == ["remove half"]


@pytest.mark.parametrize(
    ("resources", "request_", "there"),
    [
        # In the state: it was made, and did not become healthy.
        (
            ({"type": CONTAINER, "urn": "u", "id": "half"},),
            MYSQL,
            container("half", state="created", labels=dict(MYSQL.labels)),
        ),
        # There before: another state's, or left by a run that was killed.
        ((), replace(MYSQL, before=("half",)), container("half", state="created", labels=dict(MYSQL.labels))),
        ((), MYSQL, container("half", state="created", labels={"portal.tenant": "oak"})),
        ((), MYSQL, container("half", state="created", labels={})),
        # Somebody has had an answer, and started it.
        ((), MYSQL, container("half", state="running", labels=dict(MYSQL.labels))),
        ((), MYSQL, container("half", state="exited", labels=dict(MYSQL.labels))),
        # Another state's has another owner.
        (
            (),
            replace(MYSQL, labels={**MYSQL.labels, "portal.owner": "us"}),
            container("half", state="created", labels={**MYSQL.labels, "portal.owner": "them"}),
        ),
    ],
)
def test_what_this_run_has_not_made_stays(
    resources: tuple[dict[str, object], ...], request_: Request, there: Any
) -> None:
    engine = FakeEngine(containers={"acme-mysql": there})
    messages, left = removed(engine, elsewhere({"resources": list(resources)}), [request_])
    assert (engine.requests, messages, left) == ([], [], ["acme-mysql"])


def test_what_the_engine_makes_after_the_run_is_removed_by_the_next_command(stack: Stack) -> None:
    assert removed(FakeEngine(), stack, [MYSQL])[1] == ["acme-mysql"]
    engine = FakeEngine(
        containers={"acme-mysql": container("late", state="created", labels=dict(MYSQL.labels))}
    )
    with lock_stack(stack, "up", print) as hold:
        recover(hold, engine, print)
        assert unanswered.read(hold.folder) == ()
    assert engine.requests == ["remove late"]
    assert stack.locks
    assert list(stack.locks.iterdir()) == []


def test_elsewhere_what_came_late_is_removed_while_the_backend_says_that_nobody_has_it() -> None:
    stack = elsewhere(STATE)
    assert removed(FakeEngine(), stack, [MYSQL])[1] == ["acme-mysql"]
    engine = FakeEngine(
        containers={"acme-mysql": container("late", state="created", labels=dict(MYSQL.labels))}
    )
    with lock_stack(replace(stack, is_locked=True), "up", print) as hold, pytest.raises(Locked):
        recover(hold, engine, print)
    assert engine.requests == []
    recovered(stack, engine)
    assert engine.requests == ["remove late"]


def test_an_engine_that_still_does_not_answer_is_said_and_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def late(name: str) -> Any:
        raise ReadTimeout("60 s")

    engine = engine_with_leftovers()
    monkeypatch.setattr(engine, "inspect_container", late)
    assert removed(engine, elsewhere(STATE), ANSWERED_TOO_LATE) == (
        ["acme-mysql may be left on the engine: 60 s"],
        ["acme-mysql"],
    )


def test_a_run_that_ends_well_leaves_nothing_to_look_for(stack: Stack) -> None:
    removed(FakeEngine(), stack, [MYSQL])
    with lock_stack(stack, "up", print) as hold:
        recovery.forget_unanswered(hold)
        assert unanswered.read(hold.folder) == ()
