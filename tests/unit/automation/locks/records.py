"""A process that lives, one that is dead, and what a run of either wrote of itself."""

import os

from automation.locks.processes import Process, ProcessLocation
from automation.locks.record import Record

HERE = ProcessLocation(boot="this-boot", pids="pid:[1]", host="here")
SINCE = "2026-08-22T10:00:00.123456789+02:00"
TIME = 1787385600.123456
# Of a process that has ended: a number that is never given.
DEAD = Process(pid=2**22 + 1, started=1)
LIVING = Process.with_pid(os.getpid())


def record(where: ProcessLocation = HERE, cli: Process | None = DEAD, **more: object) -> Record:
    assert LIVING
    facts = {
        "user": "root",
        "verb": "up",
        "since": SINCE,
        "cli_since": TIME - 0.4,
        "locks": ("ours.json",),
        **more,
    }
    return Record(place=where, processes=(DEAD, cli) if cli else (DEAD,), **facts)  # type: ignore[arg-type]
