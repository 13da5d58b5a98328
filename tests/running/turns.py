"""Turns of workers at the engine: many at the same time, or one alone."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from testbed.waiting import until

# Longer than any test may take that is not a slow one.
LIMIT_SECONDS = 1800.0


@contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    """Wait for a turn. Nobody overtakes one that waits to be alone. Raises AssertionError after the limit."""
    with (folder / "queue").open("a") as queue, (folder / "engine").open("a") as engine:
        _lock("the queue for the engine", queue, fcntl.LOCK_EX)
        _lock("the engine", engine, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(queue, fcntl.LOCK_UN)
        yield


def _lock(what: str, file: IO[str], kind: int) -> None:
    until(what, lambda: _is_taken(file, kind), limit=LIMIT_SECONDS)


def _is_taken(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
