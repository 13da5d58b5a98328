"""Commands on this machine: watched, bounded in time, ended with their children."""

import contextlib
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from threading import Event as Flag

from automation.images.event import BuildError, Stopped

LAST_LINES = 15


def run(
    words: Sequence[str],
    *,
    what: str,
    limit: float,
    stop: Flag,
    on_line: Callable[[str], None],
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a command to its end, handing each line of its output to `on_line`.

    `what` is what the error calls it, `limit` is in seconds. Raises BuildError, or Stopped once `stop` is set.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)

    def keep_and_report(line: str) -> None:
        last.append(line)
        on_line(line)

    # What a tool puts aside is gone when it is, also when a signal has ended it.
    with tempfile.TemporaryDirectory(prefix="portals-", ignore_cleanup_errors=True) as aside:
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, "TMPDIR": aside, **(env or {})},
                # A group of its own, so that ending it ends what it started.
                start_new_session=True,
            )
        except OSError as error:
            raise BuildError(f"{what}: {words[0]} cannot be run: {error.strerror}") from None
        try:
            _follow(process, what, time.monotonic() + limit, limit, stop, keep_and_report)
        except BuildError as error:
            raise BuildError(error.reason, tuple(last)) from None
        finally:
            _end(process)
    if process.returncode:
        raise BuildError(f"{what}: {words[0]} ended with code {process.returncode}", tuple(last))


def _follow(
    process: subprocess.Popen[bytes],
    what: str,
    deadline: float,
    limit: float,
    stop: Flag,
    on_line: Callable[[str], None],
) -> None:
    assert process.stdout is not None
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if stop.is_set():
                raise Stopped
            if time.monotonic() > deadline:
                raise BuildError(f"{what}: took longer than {limit:.0f} s")
            if not selector.select(timeout=0.5):
                continue
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                break
            *lines, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
            for line in lines:
                text = line.decode("utf-8", "replace").strip()
                if text:
                    on_line(text)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        raise BuildError(f"{what}: did not end 10 s after its last output") from None


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=10)
    if process.stdout is not None:
        process.stdout.close()
