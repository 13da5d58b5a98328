"""The kernel's lock of a stack: who waits, who is refused, and what a killed command leaves."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from automation.cancellation import Cancel
from automation.errors import Cancelled, Locked, Overtaken, PortalError
from automation.locked_cli import EXIT_LOCK_HELD
from automation.locks import processes, stack_lock
from automation.locks.processes import Process, ProcessLocation
from automation.locks.record import Record
from automation.locks.stack_lock import Hold, lock_stack
from automation.runs.cli_process import Command
from automation.stack import Stack
from testbed.waiting import until

ROOT = Path(__file__).resolve().parents[4]
# Takes the lock, says so, and holds it until its standard input ends; it can start a child in the CLI's place.
HOLDER = """
import subprocess, sys
from automation.locks.stack_lock import lock_stack
from automation.stack import Stack
stack = Stack(name="acme", environ={"PULUMI_BACKEND_URL": sys.argv[1]})
with lock_stack(stack, "up", print) as hold:
    if sys.argv[2:]:
        child = subprocess.Popen([*hold.cli_prefix, *sys.argv[2:]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        hold.note_cli(child.pid)
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
            until("the CLI's lock", lambda: not stack_lock.is_free(stack_lock.lock_folder(stack) / "cli"))
        yield process
    finally:
        with process:
            process.kill()


def now() -> str:
    """The time as the CLI writes it."""
    return datetime.now(UTC).isoformat()


def pulumi_lock(stack: Stack, pid: int, name: str = "one.json", since: str | None = None) -> Path:
    """A lock as the CLI writes it."""
    assert stack.locks
    stack.locks.mkdir(parents=True, exist_ok=True)
    path = stack.locks / name
    content = {
        "pid": pid,
        "username": "root",
        "hostname": ProcessLocation.current().host,
        "timestamp": "2026-08-22T10:00:00Z" if since is None else since,
    }
    path.write_text(json.dumps(content))
    return path


def test_a_second_command_is_refused_while_the_first_lives_and_told_who_it_is(stack: Stack) -> None:
    with another(stack) as first:
        with pytest.raises(Locked) as refused, lock_stack(stack, "up", silent, limit=0.3):
            pass
        assert f"process {first.pid} of " in str(refused.value)
        assert "`./portal up`" in str(refused.value)


def test_it_waits_for_one_that_ends_in_time(stack: Stack) -> None:
    messages: list[str] = []
    with another(stack) as first:
        threading.Timer(0.5, first.kill).start()
        with lock_stack(stack, "destroy", messages.append, limit=30) as hold:
            assert hold.record.verb == "destroy"
    assert ["waiting for process" in each for each in messages] == [True]


def test_a_wait_is_cancelled(stack: Stack) -> None:
    cancel = Cancel()
    cancel.set()
    with another(stack), pytest.raises(Cancelled), lock_stack(stack, "up", silent, cancel=cancel, limit=30):
        pass


def test_a_killed_command_holds_nothing(stack: Stack) -> None:
    with another(stack) as first:
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=30)
        with lock_stack(stack, "up", silent, limit=5) as hold:
            assert not hold.lock_removed


def test_the_cli_of_a_killed_command_is_waited_for_and_its_lock_goes(stack: Stack) -> None:
    """Even where its process cannot be seen: the kernel knows whether it lives."""
    messages: list[str] = []
    with another(stack, "sleep", "60") as first:
        left = Record.read(stack_lock.lock_folder(stack) / "record.json")
        assert left
        cli = left.processes[1]
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=30)
        lock = pulumi_lock(stack, cli.pid, "named.json")
        left.with_lock("named.json").write(stack_lock.lock_folder(stack) / "record.json")
        with (
            pytest.raises(Locked, match="Pulumi CLI that a killed command has left"),
            lock_stack(stack, "up", silent, limit=0.3),
        ):
            pass
        assert lock.exists()
        os.kill(cli.pid, signal.SIGKILL)
        with lock_stack(stack, "up", messages.append, limit=10) as hold:
            assert hold.lock_removed
            assert not lock.exists()
    assert f"removed the lock of process {cli.pid}" in messages[-1]


@contextmanager
def cli_of(folder: Path) -> Iterator[int]:
    """A CLI that runs under a stack's lock, in whatever files that has now; its number."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-I", "-S", str(stack_lock.WRAPPER), str(folder / "cli"), "sleep", "60"]
    with subprocess.Popen(words) as process:
        try:
            until("the CLI's lock", lambda: not stack_lock.is_free(folder / "cli"))
            yield process.pid
        finally:
            process.kill()


def test_nobody_is_told_to_kill_a_command_that_lives(stack: Stack) -> None:
    """The lock's folder was removed under it, and its next CLI has made it anew."""
    folder = stack_lock.lock_folder(stack)
    with another(stack) as first:
        record = Record.read(folder / "record.json")
        assert record
        shutil.rmtree(folder)
        with cli_of(folder) as cli:
            process = Process.with_pid(cli)
            assert process
            record.with_cli(process, time.time()).write(folder / "record.json")
            with pytest.raises(Locked) as refused, lock_stack(stack, "up", silent, limit=0.3):
                pass
            assert f"the Pulumi CLI of process {first.pid} of " in str(refused.value)
            assert "which is running" in str(refused.value)
            assert "kill" not in str(refused.value)


def test_a_pulumi_lock_of_a_command_that_lives_stays_when_its_own_was_removed(stack: Stack) -> None:
    folder = stack_lock.lock_folder(stack)
    with another(stack, "sleep", "60"):
        record = Record.read(folder / "record.json")
        assert record
        shutil.rmtree(folder)
        lock = pulumi_lock(stack, record.processes[1].pid, "named.json")
        folder.mkdir()
        record.with_lock("named.json").write(folder / "record.json")
        with pytest.raises(Locked), lock_stack(stack, "up", silent, limit=0.3):
            pass
        assert lock.exists()


def test_of_a_command_that_cannot_be_seen_nobody_says_that_it_was_killed(stack: Stack) -> None:
    folder = stack_lock.lock_folder(stack)
    where = replace(ProcessLocation.current(), pids="pid:[1]")
    dead = Process(pid=2**22 + 1, started=1)
    Record(place=where, processes=(dead, dead), user="root", verb="up", since="").write(
        folder / "record.json"
    )
    with cli_of(folder), pytest.raises(Locked) as refused, lock_stack(stack, "up", silent, limit=0.3):
        pass
    assert "kill" not in str(refused.value)


def test_a_cli_that_another_command_runs_meanwhile_ends_with_the_code_of_a_lock(stack: Stack) -> None:
    with lock_stack(stack, "up", silent, limit=5) as hold, cli_of(hold.folder):
        for run in (
            lambda: hold.stack.tag("a", "b"),
            lambda: Command(Cancel(), hold=hold).run(["version"], str(ROOT), {}),
        ):
            with pytest.raises(Overtaken, match="is being changed by another command") as refused:
                run()
            assert refused.value.exit_code == Locked.exit_code


def test_a_lock_of_another_host_or_of_before_is_not_written_down_as_ours(stack: Stack) -> None:
    with lock_stack(stack, "up", silent) as hold:
        hold.note_cli(2**22 + 7)
        path = pulumi_lock(stack, 2**22 + 7)
        content = json.loads(path.read_text())
        hold.note_pulumi_locks()
        assert hold.record.locks == ()
        path.write_text(json.dumps({**content, "timestamp": now(), "hostname": "another"}))
        hold.note_pulumi_locks()
        assert hold.record.locks == ()
    assert path.exists()


def test_what_the_cli_starts_does_not_hold_its_lock(stack: Stack, tmp_path: Path) -> None:
    """A plugin may outlive it by minutes."""
    child = tmp_path / "child"
    script = f"sleep 60 & echo $! >{child}.new; mv {child}.new {child}; exec sleep 60"
    with another(stack, "sh", "-c", script) as first:
        left = Record.read(stack_lock.lock_folder(stack) / "record.json")
        assert left
        until("the child of the CLI", child.exists)
        plugin = int(child.read_text())
        try:
            os.kill(left.processes[1].pid, signal.SIGKILL)
            first.kill()
            first.wait(timeout=30)
            with lock_stack(stack, "up", silent, limit=10):
                assert Process.with_pid(plugin)
        finally:
            os.kill(plugin, signal.SIGKILL)


def test_a_lock_that_may_be_somebodys_stays_and_the_remedy_is_told(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from another PID namespace: the same host name, and no such process."""
    monkeypatch.setattr(processes, "sees_all_processes", lambda: False)
    lock = pulumi_lock(stack, 2**22 + 7)
    with (
        pytest.raises(
            Locked, match=r"cannot see whether that process still runs.*`pulumi cancel --stack acme`"
        ),
        lock_stack(stack, "up", silent),
    ):
        pass
    assert lock.exists()


def test_a_dead_plain_pulumis_lock_goes_where_all_processes_are_seen(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "sees_all_processes", lambda: True)
    monkeypatch.setattr(processes, "is_single_kernel", lambda path: True)
    lock = pulumi_lock(stack, 2**22 + 7)
    with lock_stack(stack, "up", silent) as hold:
        assert hold.lock_removed
    assert not lock.exists()


def test_one_that_ended_well_while_it_was_looked_at_leaves_nothing_to_mend(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "sees_all_processes", lambda: True)
    monkeypatch.setattr(processes, "is_single_kernel", lambda path: True)
    lock = pulumi_lock(stack, 2**22 + 7)

    def ends(pid: int, since: float) -> bool:
        lock.unlink()
        return False

    monkeypatch.setattr(processes, "may_hold", ends)
    messages: list[str] = []
    with lock_stack(stack, "up", messages.append) as hold:
        assert not hold.lock_removed
    assert messages == []


def test_on_a_drive_that_hosts_share_a_dead_pulumi_is_not_proved(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "is_single_kernel", lambda path: False)
    lock = pulumi_lock(stack, 2**22 + 7)
    with pytest.raises(Locked), lock_stack(stack, "up", silent):
        pass
    assert lock.exists()


def test_a_lock_that_the_cli_takes_is_written_down_and_goes_with_a_killed_cli(stack: Stack) -> None:
    with lock_stack(stack, "up", silent) as hold:
        hold.note_cli(2**22 + 7)
        ours = pulumi_lock(stack, 2**22 + 7, since=now())
        others = pulumi_lock(stack, 2**22 + 8, "two.json", now())
        hold.note_pulumi_locks()
        assert hold.record.locks == ("one.json",)
        assert Record.read(hold.folder / "record.json") == hold.record
    assert not ours.exists()
    assert others.exists()


def test_what_is_held_is_forgotten_with_its_stack(stack: Stack) -> None:
    with lock_stack(stack, "purge", silent) as hold:
        hold.forget()
    assert not hold.folder.exists()
    with lock_stack(stack, "up", silent):
        pass


def test_another_backend_is_held_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    one = Stack(name="acme", environ={"PULUMI_BACKEND_URL": "s3://one"})
    two = replace(one, environ={"PULUMI_BACKEND_URL": "s3://two"})
    with lock_stack(one, "up", silent) as hold:
        assert hold.folder.is_relative_to(tmp_path)
        with lock_stack(two, "up", silent, limit=0.3):
            pass
        with pytest.raises(Locked), lock_stack(one, "up", silent, limit=0.3):
            pass


def test_a_folder_that_is_none_is_told(tmp_path: Path, stack: Stack) -> None:
    (tmp_path / ".portals").write_text("")
    with (
        pytest.raises(PortalError, match=r"cannot take the lock of .* below .*\.portals"),
        lock_stack(stack, "up", silent),
    ):
        pass


def written(stack: Stack, state: object) -> dict[str, object]:
    """A state in the backend's file; as it is read."""
    assert stack.checkpoint
    stack.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    stack.checkpoint.write_text(json.dumps({"version": 3, "checkpoint": {"stack": "acme", "latest": state}}))
    return stack.state()


def test_a_state_is_mended_where_it_is_the_one_that_was_read(stack: Stack, tmp_path: Path) -> None:
    state = written(stack, {"resources": [], "pending_operations": [{}]})
    with lock_stack(stack, "up", silent) as hold, hold.with_pulumi_lock():
        assert stack.rewrite(state, {**state, "deployment": {"resources": []}}, hold.folder)
    assert stack.state() == {"version": 3, "deployment": {"resources": []}}
    assert stack.checkpoint
    assert [each.name for each in stack.checkpoint.parent.iterdir()] == ["acme.json"]


def test_a_state_that_somebody_has_changed_is_not_undone(stack: Stack) -> None:
    state = written(stack, {"resources": [], "pending_operations": [{}]})
    now = written(stack, {"resources": ["of another run"]})
    with lock_stack(stack, "up", silent) as hold, pytest.raises(Locked, match="was changed during"):
        stack.rewrite(state, {**state, "deployment": {"resources": []}}, hold.folder)
    assert stack.state() == now


def test_holds_know_the_words_of_the_cli(stack: Stack) -> None:
    with lock_stack(stack, "up", silent) as hold:
        assert isinstance(hold, Hold)
        completed = subprocess.run(
            [*hold.cli_prefix, "no-such-program"], capture_output=True, text=True, timeout=30, check=False
        )
        assert (completed.returncode, completed.stderr) == (
            1,
            "error: no-such-program cannot be run: No such file or directory; run `./portal setup`\n",
        )
        with subprocess.Popen(
            [*hold.cli_prefix, "sh", "-c", "echo; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as first:
            assert first.stdout
            first.stdout.readline()
            second = subprocess.run(
                [*hold.cli_prefix, "true"], capture_output=True, text=True, timeout=30, check=False
            )
            assert second.returncode == EXIT_LOCK_HELD
            assert "cannot take the lock" in second.stderr
            first.communicate(b"\n", timeout=30)
