"""What a killed run leaves behind is recognised from plain data."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from automation.errors import Locked
from automation.pulumi import Stack
from automation.recovery import (
    Lock,
    failed_gates,
    half_made,
    pending_operations,
    runs_pulumi,
    unlock,
    without_pending,
)

CONTAINER = "docker:index/container:Container"


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


@pytest.mark.parametrize(
    ("hostname", "alive", "stale"),
    [("here", False, True), ("here", True, False), ("elsewhere", False, False), ("", False, True)],
)
def test_a_lock_is_stale_when_its_process_is_known_to_be_gone(
    hostname: str, alive: bool, stale: bool
) -> None:
    lock = Lock(path=Path("x"), pid=4242, hostname=hostname, since="")
    assert lock.stale("here", lambda _: alive) is stale


def test_this_process_is_no_pulumi() -> None:
    assert not runs_pulumi(os.getpid())
    assert not runs_pulumi(0)


def test_a_process_that_ended_runs_no_more() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(timeout=30)
    assert not runs_pulumi(ended.pid)


def stack(tmp_path: Path, lock: str) -> Stack:
    made = Stack(name="acme", environ={"PULUMI_BACKEND_URL": f"file://{tmp_path}"})
    assert made.locks is not None
    made.locks.mkdir(parents=True)
    (made.locks / "one.json").write_text(lock)
    return made


def test_a_torn_lock_is_removed(tmp_path: Path) -> None:
    made, said = stack(tmp_path, '{"pid": 12'), []
    assert unlock(made, said.append)
    assert made.locks is not None
    assert list(made.locks.iterdir()) == []
    assert said == ["removed the lock of process 0, which no longer runs"]


def test_a_lock_of_another_machine_is_respected(tmp_path: Path) -> None:
    made = stack(tmp_path, json.dumps({"pid": 1, "hostname": "elsewhere", "timestamp": "noon"}))
    with pytest.raises(Locked, match="portal acme is being changed by process 1 on elsewhere since noon"):
        unlock(made, print)


def test_no_lock_is_no_work(tmp_path: Path) -> None:
    assert not unlock(Stack(name="acme", environ={"PULUMI_BACKEND_URL": f"file://{tmp_path}"}), print)
    assert not unlock(Stack(name="acme", environ={"PULUMI_BACKEND_URL": "s3://bucket"}), print)
