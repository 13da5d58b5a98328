"""A generation: one process of the software, started with one configuration.

The next generation starts before this one ends, on the same listening socket.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from configurator.records import Version


class Generation:
    """A child process that writes one byte to OPENEDX_READY_FD when it accepts work.

    `version` is the version of the overrides in its settings. `replaced` is the earlier content of the settings files
    that changed for it.
    """

    def __init__(
        self,
        words: Sequence[str],
        env: Mapping[str, str],
        listen: int | None,
        version: Version,
        replaced: Mapping[Path, bytes | None],
    ) -> None:
        self.version, self.replaced = version, replaced
        self.began = time.monotonic()
        self.pipe, write_end = os.pipe()
        os.set_blocking(self.pipe, False)
        own = {**env, "OPENEDX_READY_FD": str(write_end)}
        passed = [write_end]
        if listen is not None:
            own["OPENEDX_LISTEN_FD"] = str(listen)
            passed.append(listen)
        self.process = subprocess.Popen(list(words), env=own, pass_fds=passed)
        os.close(write_end)
        self._ready = False
        self._terminated = False

    def ready(self) -> bool:
        """Whether it has reported that it accepts work."""
        if not self._ready:
            try:
                self._ready = os.read(self.pipe, 1) != b""
            except BlockingIOError:
                return False
        return self._ready

    def exit_code(self) -> int | None:
        """Its exit code, 128 + number after a signal as in a shell; None while it runs."""
        code = self.process.poll()
        return code if code is None or code >= 0 else 128 - code

    def terminate(self) -> None:
        """Send SIGTERM once, so that it finishes its work and ends. Celery stops at once at a second SIGTERM."""
        if not self._terminated and self.process.poll() is None:
            self._terminated = True
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        if self.process.poll() is None:
            self.process.kill()

    def close(self) -> None:
        """Close the pipe of a process that has ended."""
        os.close(self.pipe)
