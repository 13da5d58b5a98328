"""One run of the software with one configuration; the next begins before it ends, on the same listening socket."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from configurator.records import Version


class Generation:
    """A child process that says when it accepts work, by one byte into OPENEDX_READY_FD.

    `version` is of the overrides that its settings were made of, `replaced` what those files held before.
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
        self.pipe, told = os.pipe()
        os.set_blocking(self.pipe, False)
        own = {**env, "OPENEDX_READY_FD": str(told)}
        passed = [told]
        if listen is not None:
            own["OPENEDX_LISTEN_FD"] = str(listen)
            passed.append(listen)
        self.process = subprocess.Popen(list(words), env=own, pass_fds=passed)
        os.close(told)
        self._ready = False
        self._asked = False

    def ready(self) -> bool:
        """Whether it has said so."""
        if not self._ready:
            try:
                self._ready = os.read(self.pipe, 1) != b""
            except BlockingIOError:
                return False
        return self._ready

    def ended(self) -> int | None:
        """Its exit code as a shell would say it, or None while it runs."""
        code = self.process.poll()
        return code if code is None or code >= 0 else 128 - code

    def end(self) -> None:
        """Ask it, once, to finish what it does and go: Celery takes a second SIGTERM for impatience."""
        if not self._asked and self.process.poll() is None:
            self._asked = True
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it now."""
        if self.process.poll() is None:
            self.process.kill()

    def close(self) -> None:
        """Forget it; it has ended."""
        os.close(self.pipe)
