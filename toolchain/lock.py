"""One setup at a time."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from toolchain.errors import ToolchainError


@contextmanager
def hold_lock(path: Path, limit: float, say: Callable[[str], None]) -> Iterator[None]:
    """Hold a lock that the kernel releases when we die. Raises ToolchainError after `limit` seconds of waiting."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        end = time.monotonic() + limit
        has_said = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip() or "unknown"
            if not has_said:
                say(f"another setup is running (process {holder}); waiting for it, at most {limit:.0f} s")
                has_said = True
            if time.monotonic() >= end:
                raise ToolchainError(
                    f"waited {limit:.0f} s for the setup of process {holder} (lock {path}); "
                    "end that process or wait, then run the command again"
                )
            time.sleep(0.2)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
