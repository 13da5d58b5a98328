"""Our own lock of a stack: held by the kernel from before a command looks at the state until it has changed what it will.

Pulumi's lock is held for a run of the CLI alone, and stays where one is killed; the kernel's goes with who holds it, whatever
namespaces separate those who ask. A folder a stack, `.portals/<stack>/` beside a file backend's `.pulumi`, of two locks and
a record: `command` is held by a command of ours, `cli` by the CLI that it has started and that may outlive it by seconds.
"""

import fcntl
import hashlib
import math
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from automation import locked_cli
from automation.errors import Cancelled, Locked, Overtaken, PortalError
from automation.locks import processes, pulumi_locks
from automation.locks.processes import Process, ProcessLocation
from automation.locks.pulumi_locks import HolderState, Lock, View
from automation.locks.record import Record
from automation.stack import Stack
from toolchain.paths import data_directory

# A run that was just told to stop still finishes the steps it has begun.
LOCK_LIMIT_SECONDS = 60.0
POLL_SECONDS = 0.25
WRAPPER = Path(locked_cli.__file__)

Say = Callable[[str], None]


@dataclass(kw_only=True)
class Hold:
    """A stack that is ours to change until `held` ends; `lock_removed` says that a dead run's lock of it was removed."""

    stack: Stack
    folder: Path
    record: Record
    lock_removed: bool = False

    @property
    def cli_prefix(self) -> Sequence[str]:
        """What comes before the CLI's own words, so that the kernel knows as long as it lives."""
        return [sys.executable, "-I", "-S", str(WRAPPER), str(self.folder / "cli")]

    def write_holder(self) -> None:
        """Write down who holds it."""
        self._write(self.record)

    def note_cli(self, pid: int) -> None:
        """Write down which process the CLI is, which has just been started as a child."""
        # Where /proc shows another namespace's processes, it is known by its number alone.
        process = Process.with_pid(pid) or Process(pid=pid, started=0)
        self._write(self.record.with_cli(process, time.time()))

    def note_pulumi_locks(self) -> None:
        """Write down the lock that the CLI has taken, once it has."""
        for lock in pulumi_locks.locks_in(self.stack.locks) if self.stack.locks else ():
            # However late it is: a busy machine starts a CLI in minutes.
            taken = self.record.may_have_taken(lock.pid, lock.host, lock.time, math.inf)
            if taken and lock.path.name not in self.record.locks:
                self._note_lock(lock.path.name)

    @contextmanager
    def with_pulumi_lock(self) -> Iterator[None]:
        """Hold Pulumi's lock, too, where that is a file: not even a plain `pulumi` changes the stack meanwhile.

        Raises Overtaken when one does.
        """
        if self.stack.locks is None:
            yield
            return
        with pulumi_locks.hold_pulumi_lock(self.stack.locks, self.folder, self.stack.name, self._note_lock):
            yield

    def overtaken_error(self) -> Overtaken:
        """What is raised where another command's CLI has the lock that ours was to have: somebody has removed the lock's files."""
        return Overtaken(
            f"portal {self.stack.name} is being changed by another command, whose Pulumi CLI has "
            f"taken {self.folder / 'cli'} meanwhile: nothing more was changed; wait until it ends, "
            "then run the command again"
        )

    def release(self) -> None:
        """Remove the locks of this run's CLI where it was killed: whoever comes next, by whatever tool, need not ask."""
        if self.stack.locks is None or not self.folder.is_dir() or not is_free(self.folder / "cli"):
            return
        for name in self.record.locks:
            (self.stack.locks / name).unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove the lock's own files with the stack that is gone; whoever waits makes them anew."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _note_lock(self, lock: str) -> None:
        """Write down the name of a lock of Pulumi's that is this run's."""
        self._write(self.record.with_lock(lock))

    def _write(self, record: Record) -> None:
        self.record = record
        record.write(self.folder / "record.json")


@contextmanager
def lock_stack(
    stack: Stack,
    verb: str,
    say: Say,
    *,
    cancel: threading.Event | None = None,
    limit: float = LOCK_LIMIT_SECONDS,
) -> Iterator[Hold]:
    """Hold a stack for a command that changes it, and remove the locks of runs that are proved to be dead.

    Waits for others up to `limit` seconds. Raises Locked when they still have it, and at once when it cannot be known whether
    they do; Cancelled once `cancel` is set meanwhile; PortalError when the folder cannot be written.
    """
    folder = lock_folder(stack)
    end = time.monotonic() + limit
    stop = cancel or threading.Event()
    waiting = Waiter(tenant=stack.name, folder=folder, say=say, end=end, cancel=stop)
    try:
        lock_file = waiting.take_lock()
    except OSError as error:
        raise PortalError(
            f"cannot take the lock of portal {stack.name} below {folder}: {error.strerror}; a user "
            "who changes the portal needs write access there"
        ) from None
    try:
        waiting.wait_for_cli()
        before = Record.read(folder / "record.json")
        stale = [each for each in waiting.wait_for_pulumi(stack, before) if remove_lock(each)]
        for each in stale:
            say(f"removed the lock of {each}, which has ended")
        hold = Hold(stack=stack, folder=folder, record=own_record(verb), lock_removed=bool(stale))
        hold.stack = replace(stack, hold=hold)
        hold.write_holder()
        try:
            yield hold
        finally:
            hold.release()
    finally:
        os.close(lock_file)


def remove_lock(lock: Lock) -> bool:
    """Remove a lock whose process is gone; whether it was still there: one that ended well meanwhile has taken it along."""
    try:
        lock.path.unlink()
    except FileNotFoundError:
        return False
    return True


def lock_folder(stack: Stack) -> Path:
    """Where our lock of a stack lies: beside a file backend's records; else on this machine, for its own runs alone."""
    if stack.files is not None:
        return stack.files.with_name(".portals") / stack.name
    backend = hashlib.sha256(
        stack.environ.get("PULUMI_BACKEND_URL", "").encode(errors="surrogateescape")
    ).hexdigest()[:16]
    return data_directory(os.environ) / "locks" / backend / stack.name


def own_record(verb: str) -> Record:
    """What this process writes of itself."""
    here = Process.with_pid(os.getpid()) or Process(pid=os.getpid(), started=0)
    since = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
    return Record(
        place=ProcessLocation.current(), processes=(here,), user=processes.user(), verb=verb, since=since
    )


@dataclass(kw_only=True)
class Waiter:
    """Waits for whoever has a stack, says so once, and ends at a moment (`end`, of the monotonic clock)."""

    tenant: str
    folder: Path
    say: Say
    end: float
    cancel: threading.Event
    announced: bool = False

    def take_lock(self) -> int:
        """Our lock, as the file that holds it. Raises Locked."""
        path = self.folder / "command"
        while True:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # A purge removes the file that it holds: one that is no longer there locks nothing.
                if is_same_file(file, path):
                    return file
            except BlockingIOError:
                self.wait(str(Record.read(self.folder / "record.json") or "another command"))
            except BaseException:
                os.close(file)
                raise
            os.close(file)

    def wait_for_cli(self) -> None:
        """Wait for the CLI of a killed command to end what it has begun. Raises Locked."""
        while not is_free(self.folder / "cli"):
            self.wait(describe_leftover_cli(Record.read(self.folder / "record.json")))

    def wait_for_pulumi(self, stack: Stack, record: Record | None) -> list[Lock]:
        """Wait until no process that runs has Pulumi's lock; those whose process is gone. Raises Locked."""
        while True:
            locks = pulumi_locks.locks_in(stack.locks) if stack.locks else []
            view = View(
                here=ProcessLocation.current(),
                one_kernel=bool(locks) and processes.is_single_kernel(self.folder),
                sees_all=bool(locks) and processes.sees_all_processes(),
                record=record,
            )
            verdicts = [(each, view.judge(each, processes.may_hold)) for each in locks]
            for lock, verdict in verdicts:
                if verdict is HolderState.UNKNOWN:
                    raise Locked(
                        f"portal {self.tenant} is locked by {lock}; this machine ({view.here.host}) "
                        "cannot see whether that process still runs: nothing was changed. Wait for "
                        "it; or, if you know that it has ended, run `pulumi cancel --stack "
                        f"{self.tenant}`, then the command again"
                    )
            live = [lock for lock, verdict in verdicts if verdict is HolderState.LIVE]
            if not live:
                return locks
            self.wait(str(live[0]), breakable=True)

    def wait(self, who: str, *, breakable: bool = False) -> None:
        """One look later. Raises Locked when the time is over, Cancelled."""
        if time.monotonic() > self.end:
            remedy = (
                f", or, if you know that it has ended, run `pulumi cancel --stack {self.tenant}`"
                if breakable
                else ""
            )
            raise Locked(
                f"portal {self.tenant} is being changed by {who}: nothing was changed. Wait until it "
                f"ends{remedy}, then run the command again"
            )
        if not self.announced:
            self.say(f"waiting for {who}, which is changing portal {self.tenant}")
            self.announced = True
        if self.cancel.wait(POLL_SECONDS):
            raise Cancelled(f"portal {self.tenant}: the wait was cancelled; nothing was changed")


def describe_leftover_cli(record: Record | None) -> str:
    """The CLI that runs without a command of ours that holds the stack, as somebody to wait for.

    That its command was killed is said where that is proved. Else somebody may have removed the lock of one that lives.
    """
    if record is None or len(record.processes) < 2:
        return "the Pulumi CLI of an unknown command"
    here = ProcessLocation.current()
    if not here.is_known or record.place != here:
        return f"process {record.processes[1].pid}, the Pulumi CLI of {record}"
    if record.processes[0].is_running:
        return f"process {record.processes[1].pid}, the Pulumi CLI of {record}, which is running although its lock files were removed"
    return (
        f"process {record.processes[1].pid}, the Pulumi CLI that a killed command has left ({record}; "
        "you may `kill` it, the next command recovers)"
    )


def is_free(path: Path) -> bool:
    """Whether no CLI holds its lock at a path. It is not kept: the CLI of this command is to have it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        # POSIX lets a system say either.
        return False
    finally:
        os.close(file)
    return True


def is_same_file(file: int, path: Path) -> bool:
    """Whether an open file is the one that has a name."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
