"""A file's lock around what is read, decided and written by one command of this machine at a time."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from automation.errors import Locked

LIMIT_SECONDS = 60.0
POLL_SECONDS = 0.1


@contextmanager
def exclusive(
    path: Path, what: str, say: Callable[[str], None], limit: float = LIMIT_SECONDS
) -> Iterator[None]:
    """Hold a lock that goes with this process. `what` is said when it is waited for; raises Locked after `limit` seconds."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    end = time.monotonic() + limit
    has_said = False
    with path.open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise Locked(
                        f"waited {limit:.0f} s for {what} ({path}); wait for it, then run the command again"
                    ) from None
            if not has_said:
                say(f"waiting for {what}")
                has_said = True
            time.sleep(POLL_SECONDS)
        yield
