"""The kernel's lock of a stack: who waits, who is refused, and what a killed command leaves."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from automation import holding, place
from automation.cancelling import Cancel
from automation.errors import Cancelled, Locked, PortalError
from automation.holding import Hold, held
from automation.place import Place, Process
from automation.pulumi import Stack
from automation.record import Record
from tests.e2e.waiting import until

ROOT = Path(__file__).resolve().parents[2]
# Takes the lock, says so, and holds it until its standard input ends; it can start a child in the CLI's place.
HOLDER = """
import subprocess, sys
from automation.holding import held
from automation.pulumi import Stack
stack = Stack(name="acme", environ={"PULUMI_BACKEND_URL": sys.argv[1]})
with held(stack, "up", print) as hold:
    if sys.argv[2:]:
        child = subprocess.Popen([*hold.words, *sys.argv[2:]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        hold.started(child.pid)
    print("held", flush=True)
    input()
"""


def silent(text: str) -> None:
    """Nobody listens."""


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(name="acme", environ={"PULUMI_BACKEND_URL": f"file://{tmp_path}?metadata=skip"})


@contextmanager
def another(stack: Stack, *cli: str) -> Iterator[subprocess.Popen[str]]:
    """A command of another process that holds the stack."""
    words = [sys.executable, "-c", HOLDER, stack.environ["PULUMI_BACKEND_URL"], *cli]
    process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        if cli:
            until("the CLI's lock", lambda: not holding.free(holding.place_of(stack) / "cli"))
        yield process
    finally:
        with process:
            process.kill()


def pulumi_lock(stack: Stack, pid: int, name: str = "one.json") -> Path:
    """A lock as the CLI writes it."""
    assert stack.locks
    stack.locks.mkdir(parents=True, exist_ok=True)
    path = stack.locks / name
    content = {
        "pid": pid,
        "username": "root",
        "hostname": Place.here().host,
        "timestamp": "2026-08-22T10:00:00Z",
    }
    path.write_text(json.dumps(content))
    return path


def test_a_second_command_is_refused_while_the_first_lives_and_told_who_it_is(stack: Stack) -> None:
    with another(stack) as first:
        with pytest.raises(Locked) as refused, held(stack, "up", silent, limit=0.3):
            pass
        assert f"process {first.pid} of " in str(refused.value)
        assert "`./portal up`" in str(refused.value)


def test_it_waits_for_one_that_ends_in_time(stack: Stack) -> None:
    said: list[str] = []
    with another(stack) as first:
        threading.Timer(0.5, first.kill).start()
        with held(stack, "destroy", said.append, limit=30) as hold:
            assert hold.record.verb == "destroy"
    assert ["waiting for process" in each for each in said] == [True]


def test_a_wait_is_cancelled(stack: Stack) -> None:
    cancel = Cancel()
    cancel.set()
    with another(stack), pytest.raises(Cancelled), held(stack, "up", silent, cancel=cancel, limit=30):
        pass


def test_a_killed_command_holds_nothing(stack: Stack) -> None:
    with another(stack) as first:
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=30)
        with held(stack, "up", silent, limit=5) as hold:
            assert not hold.mended


def test_the_cli_of_a_killed_command_is_waited_for_and_its_lock_goes(stack: Stack) -> None:
    """Even where its process cannot be seen: the kernel knows whether it lives."""
    said: list[str] = []
    with another(stack, "sleep", "60") as first:
        left = Record.read(holding.place_of(stack) / "record.json")
        assert left
        cli = left.processes[1]
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=30)
        lock = pulumi_lock(stack, cli.pid, "named.json")
        left.with_lock("named.json").write(holding.place_of(stack) / "record.json")
        with (
            pytest.raises(Locked, match="Pulumi CLI that a killed command has left"),
            held(stack, "up", silent, limit=0.3),
        ):
            pass
        assert lock.exists()
        os.kill(cli.pid, signal.SIGKILL)
        with held(stack, "up", said.append, limit=10) as hold:
            assert hold.mended
            assert not lock.exists()
    assert f"removed the lock of process {cli.pid}" in said[-1]


def test_what_the_cli_starts_does_not_hold_its_lock(stack: Stack, tmp_path: Path) -> None:
    """A plugin may outlive it by minutes."""
    child = tmp_path / "child"
    script = f"sleep 60 & echo $! >{child}.new; mv {child}.new {child}; exec sleep 60"
    with another(stack, "sh", "-c", script) as first:
        left = Record.read(holding.place_of(stack) / "record.json")
        assert left
        until("the child of the CLI", child.exists)
        plugin = int(child.read_text())
        try:
            os.kill(left.processes[1].pid, signal.SIGKILL)
            first.kill()
            first.wait(timeout=30)
            with held(stack, "up", silent, limit=10):
                assert Process.of(plugin)
        finally:
            os.kill(plugin, signal.SIGKILL)


def test_a_lock_that_may_be_somebodys_stays_and_the_way_out_is_told(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from another PID namespace: the same host name, and no such process."""
    monkeypatch.setattr(place, "sees_all", lambda: False)
    lock = pulumi_lock(stack, 2**22 + 7)
    with (
        pytest.raises(Locked, match=r"cannot be known from here.*`pulumi cancel --stack acme`"),
        held(stack, "up", silent),
    ):
        pass
    assert lock.exists()


def test_a_dead_plain_pulumis_lock_goes_where_all_processes_are_seen(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "sees_all", lambda: True)
    monkeypatch.setattr(place, "of_one_kernel", lambda path: True)
    lock = pulumi_lock(stack, 2**22 + 7)
    with held(stack, "up", silent) as hold:
        assert hold.mended
    assert not lock.exists()


def test_one_that_ended_well_while_it_was_looked_at_leaves_nothing_to_mend(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "sees_all", lambda: True)
    monkeypatch.setattr(place, "of_one_kernel", lambda path: True)
    lock = pulumi_lock(stack, 2**22 + 7)

    def ends(pid: int, since: float) -> bool:
        lock.unlink()
        return False

    monkeypatch.setattr(place, "may_hold", ends)
    said: list[str] = []
    with held(stack, "up", said.append) as hold:
        assert not hold.mended
    assert said == []


def test_on_a_drive_that_hosts_share_a_dead_pulumi_is_not_proved(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "of_one_kernel", lambda path: False)
    lock = pulumi_lock(stack, 2**22 + 7)
    with pytest.raises(Locked), held(stack, "up", silent):
        pass
    assert lock.exists()


def test_a_lock_that_the_cli_takes_is_written_down_and_goes_with_a_killed_cli(stack: Stack) -> None:
    with held(stack, "up", silent) as hold:
        hold.started(2**22 + 7)
        ours, others = pulumi_lock(stack, 2**22 + 7), pulumi_lock(stack, 2**22 + 8, "two.json")
        hold.seen()
        assert hold.record.locks == ("one.json",)
        assert Record.read(hold.folder / "record.json") == hold.record
    assert not ours.exists()
    assert others.exists()


def test_what_is_held_is_forgotten_with_its_stack(stack: Stack) -> None:
    with held(stack, "purge", silent) as hold:
        hold.forget()
    assert not hold.folder.exists()
    with held(stack, "up", silent):
        pass


def test_another_backend_is_held_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    one = Stack(name="acme", environ={"PULUMI_BACKEND_URL": "s3://one"})
    two = replace(one, environ={"PULUMI_BACKEND_URL": "s3://two"})
    with held(one, "up", silent) as hold:
        assert hold.folder.is_relative_to(tmp_path)
        with held(two, "up", silent, limit=0.3):
            pass
        with pytest.raises(Locked), held(one, "up", silent, limit=0.3):
            pass


def test_a_folder_that_is_none_is_told(tmp_path: Path, stack: Stack) -> None:
    (tmp_path / ".portals").write_text("")
    with pytest.raises(PortalError, match=r"below .*\.portals.*cannot be had"), held(stack, "up", silent):
        pass


def written(stack: Stack, state: object) -> dict[str, object]:
    """A state in the backend's file; as it is read."""
    assert stack.checkpoint
    stack.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    stack.checkpoint.write_text(json.dumps({"version": 3, "checkpoint": {"stack": "acme", "latest": state}}))
    return stack.state()


def test_a_state_is_mended_where_it_is_the_one_that_was_read(stack: Stack, tmp_path: Path) -> None:
    seen = written(stack, {"resources": [], "pending_operations": [{}]})
    with held(stack, "up", silent) as hold, hold.alone():
        assert stack.rewrite(seen, {**seen, "deployment": {"resources": []}}, hold.folder)
    assert stack.state() == {"version": 3, "deployment": {"resources": []}}
    assert stack.checkpoint
    assert [each.name for each in stack.checkpoint.parent.iterdir()] == ["acme.json"]


def test_a_state_that_somebody_has_changed_is_not_undone(stack: Stack) -> None:
    seen = written(stack, {"resources": [], "pending_operations": [{}]})
    now = written(stack, {"resources": ["of another run"]})
    with held(stack, "up", silent) as hold, pytest.raises(Locked, match="was changed while"):
        stack.rewrite(seen, {**seen, "deployment": {"resources": []}}, hold.folder)
    assert stack.state() == now


def test_holds_know_the_words_of_the_cli(stack: Stack) -> None:
    with held(stack, "up", silent) as hold:
        assert isinstance(hold, Hold)
        told = subprocess.run(
            [*hold.words, "no-such-program"], capture_output=True, text=True, timeout=30, check=False
        )
        assert (told.returncode, told.stderr) == (
            1,
            "error: no-such-program cannot be run: No such file or directory; `./portal setup` sees to it\n",
        )
        with subprocess.Popen(
            [*hold.words, "sh", "-c", "echo; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as first:
            assert first.stdout
            first.stdout.readline()
            second = subprocess.run(
                [*hold.words, "true"], capture_output=True, text=True, timeout=30, check=False
            )
            assert second.returncode == 1
            assert "cannot be had" in second.stderr
            first.communicate(b"\n", timeout=30)
