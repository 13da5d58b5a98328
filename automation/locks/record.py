"""What a run writes of itself beside the lock that it holds: for whoever waits, and for whoever comes after its death."""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from automation.locks.processes import Process, ProcessLocation
from toolchain import files

# The CLI takes its lock as soon as it has read what stack it is for. After that its lock's name is in the record within
# LOOK_SECONDS (automation/runs/cli_process.py); a lock that is in no record is ours only when it is of the CLI's first minute.
FIRST_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Record:
    """A run: where, which processes (its own, and the CLI's when it has one), since when, for whom, and Pulumi's locks."""

    place: ProcessLocation
    processes: tuple[Process, ...]
    user: str
    verb: str
    since: str
    # The CLI's start, seconds of the clock; 0 before there is one.
    cli_since: float = 0.0
    locks: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> "Record | None":
        """The record in a file; None where there is none, or none that is whole."""
        try:
            content = json.loads(path.read_bytes())
            return cls(
                place=ProcessLocation(**content["place"]),
                processes=tuple(Process(**each) for each in content["processes"]),
                user=str(content["user"]),
                verb=str(content["verb"]),
                since=str(content["since"]),
                cli_since=float(content["cli_since"]),
                locks=tuple(map(str, content["locks"])),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Write it whole, over the one before."""
        files.write(path, json.dumps(self.facts(), indent=1))

    def facts(self) -> dict[str, Any]:
        """As it is written."""
        return asdict(self)

    def with_cli(self, process: Process, since: float) -> "Record":
        """The same run with the CLI that it has just started."""
        return replace(self, processes=(self.processes[0], process), cli_since=since)

    def with_lock(self, name: str) -> "Record":
        """The same run with one more of Pulumi's locks."""
        return replace(self, locks=(*self.locks, name))

    def may_have_taken(self, pid: int, host: str, time: float, first: float = FIRST_SECONDS) -> bool:
        """Whether a lock of Pulumi's may be this run's CLI's: by number, host name, and its `first` seconds.

        No proof: in another PID namespace another process may have the number, and containers may share a host name.
        """
        cli = self.processes[1:]
        return (
            bool(cli)
            and (pid, host) == (cli[0].pid, self.place.host)
            and -1 <= time - self.cli_since <= first
        )

    def is_running(self, pid: int) -> bool:
        """Whether the process of this run that has this number runs, as seen from its own PID namespace; never ourselves."""
        return any(each.pid == pid != os.getpid() and each.is_running for each in self.processes)

    def __str__(self) -> str:
        return (
            f"process {self.processes[0].pid} of {self.user}@{self.place.host} (`./portal {self.verb}`) "
            f"since {self.since}"
        )
