"""Pulumi's own lock of a stack in a file backend, and when it is proved that nobody holds it any more.

One file a holder, `.pulumi/locks/organization/<project>/<stack>/<uuid>.json`, written before and looked at again after by
whoever wants to change the stack: https://github.com/pulumi/pulumi/blob/v3.256.0/pkg/backend/diy/lock.go
"""

import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from automation.errors import Overtaken
from automation.locks.processes import ProcessLocation, user
from automation.locks.record import Record
from toolchain import files


class HolderState(Enum):
    """What is known of a lock's holder."""

    LIVE = "its process is running"
    GONE = "its process is gone"
    UNKNOWN = "its process cannot be seen from here"


@dataclass(frozen=True, kw_only=True)
class Lock:
    """A lock file: the process that took it, by its own number and host name, and when (seconds of the clock)."""

    path: Path
    pid: int
    host: str
    user: str
    since: str

    @classmethod
    def read(cls, path: Path) -> "Lock | None":
        """The lock in a file, None if it went meanwhile; of a torn one nothing is known (pid 0)."""
        try:
            content = json.loads(path.read_text() or "{}")
        except FileNotFoundError:
            return None
        except ValueError:
            content = {}
        pid = content.get("pid")
        return cls(
            path=path,
            pid=pid if isinstance(pid, int) and pid > 0 else 0,
            host=str(content.get("hostname", "")),
            user=str(content.get("username", "")),
            since=str(content.get("timestamp", "")),
        )

    @property
    def time(self) -> float:
        """`since` as seconds of the clock; 0 where it says no time."""
        try:
            return datetime.fromisoformat(self.since).timestamp()
        except ValueError:
            return 0.0

    def __str__(self) -> str:
        who = f"{self.user}@{self.host}" if self.user else self.host
        return f"process {self.pid or 'unknown'} of {who or 'an unknown host'} since {self.since or 'an unknown time'}"


@dataclass(frozen=True, kw_only=True)
class View:
    """What is known where a lock is judged, by one who holds our own lock of the stack.

    `one_kernel`: the locks lie where no other kernel writes, so that holding ours proves that no run of ours is left.
    `sees_all`: every process of this kernel is seen. `record`: what the last run of ours has written of itself.
    """

    here: ProcessLocation
    one_kernel: bool
    sees_all: bool
    record: Record | None

    def judge(self, lock: Lock, may_hold: Callable[[int, float], bool]) -> HolderState:
        """Whether a lock's process runs; `may_hold` says so of a process seen here, by its number and the lock's time."""
        named = self.record is not None and lock.path.name in self.record.locks
        ours = self.record if named or self._is_ours_by_number(lock) else None
        here = ours is not None and ours.place == self.here and self.here.is_known
        if ours and here and ours.is_running(lock.pid):
            # What it holds was removed under it, by its name: then ours proves nothing.
            return HolderState.LIVE
        if ours and not named and may_hold(lock.pid, lock.time):
            # Somebody else's, of the same number in another PID namespace.
            return HolderState.LIVE
        if ours and self.one_kernel:
            # The kernel has given us what that run, and the CLI that it started, held as long as they lived.
            return HolderState.GONE
        if ours and here:
            return HolderState.LIVE if any(each.is_running for each in ours.processes) else HolderState.GONE
        near = self.one_kernel or lock.host == self.here.host
        if near and may_hold(lock.pid, lock.time):
            return HolderState.LIVE
        return HolderState.GONE if self.one_kernel and self.sees_all else HolderState.UNKNOWN

    def _is_ours_by_number(self, lock: Lock) -> bool:
        """Whether a lock that is in no record is our last run's CLI's by its number, in the PID namespace where that counts."""
        ours = self.record
        return (
            ours is not None
            and self.here.is_known
            and ours.place == self.here
            and ours.may_have_taken(lock.pid, lock.host, lock.time)
        )


def locks_in(folder: Path) -> list[Lock]:
    """The locks of a stack, by its folder of them."""
    return [lock for path in sorted(folder.glob("*.json")) if (lock := Lock.read(path))]


@contextmanager
def hold_pulumi_lock(folder: Path, beside: Path, tenant: str, note: Callable[[str], None]) -> Iterator[None]:
    """Hold a stack as the CLI does while it changes one: no `pulumi` changes it meanwhile.

    `beside` is a folder of the same file system: whatever lies in `folder` itself is a lock to the CLI. `note` is told the
    lock's name before it is there. Raises Overtaken when somebody else has the stack.
    """
    path = folder / f"{uuid.uuid4()}.json"
    note(path.name)
    content = {
        "pid": os.getpid(),
        "username": user(),
        "hostname": ProcessLocation.current().host,
        "timestamp": datetime.now(UTC).isoformat(),
    }
    if others := locks_in(folder):
        raise overtaken_error(tenant, others[0])
    folder.mkdir(parents=True, exist_ok=True)
    files.write(beside / path.name, json.dumps(content), mode=0o600)
    (beside / path.name).replace(path)
    try:
        # Of two that write at the same moment both see the other's, and neither goes on.
        if others := [each for each in locks_in(folder) if each.path != path]:
            raise overtaken_error(tenant, others[0])
        yield
    finally:
        path.unlink(missing_ok=True)


def overtaken_error(tenant: str, lock: Lock) -> Overtaken:
    """What is said of a stack that somebody else has just taken."""
    return Overtaken(f"portal {tenant} is being changed by {lock}, which has taken its stack meanwhile")
