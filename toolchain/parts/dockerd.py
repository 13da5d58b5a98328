"""dockerd, started where no systemd does it, in a session of its own; and stopped, if it was started here."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import ToolchainError
from toolchain.parts.engine import Answer, ask
from toolchain.process import tail

START_LIMIT = 90.0
STOP_LIMIT = 90.0
LOG_BYTES = 10_000_000


@dataclass(frozen=True)
class Daemon:
    """The dockerd that this program started, if it did; known by its process and that process's start time."""

    folder: Path
    pid_file: Path = Path("/var/run/docker.pid")

    @property
    def record(self) -> Path:
        return self.folder / "dockerd.started"

    @property
    def log(self) -> Path:
        return self.folder / "dockerd.log"

    def runs(self) -> bool:
        """Whether a dockerd runs on this machine, whoever started it; it may not be ready yet."""
        try:
            return name_and_start(int(self.pid_file.read_text()))[0] == "dockerd"
        except (OSError, ValueError):
            return False

    def process(self) -> int | None:
        """The number of the dockerd that was started here while it runs; None for a dead or another's process."""
        try:
            number, started = (int(word) for word in self.record.read_text().split())
        except (OSError, ValueError):
            return None
        return number if name_and_start(number) == ("dockerd", started) else None

    def start(self, env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Start dockerd in a session of its own. It outlives us; its record is written before it is dockerd."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        if not self.runs():
            # dockerd does not start while any process has the number that this file, left by a dead one, tells.
            self.pid_file.unlink(missing_ok=True)
        # The shell becomes dockerd: same process, same start time. So a kill between the two leaves nothing unknown.
        script = 'cut -d" " -f1,22 "/proc/$$/stat" >"$1.new" && mv "$1.new" "$1" && shift && exec "$@"'
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                ["/bin/sh", "-c", script, "sh", str(self.record), "dockerd"],
                env=dict(env),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        # It outlives us; if it does not, it is not to stay as a zombie.
        threading.Thread(target=child.wait, daemon=True).start()
        return child

    def stop(self, limit: float = STOP_LIMIT) -> bool:
        """End the dockerd that was started here, with its containers; False when none runs.

        Raises ToolchainError when it has not ended after `limit` seconds.
        """
        number = self.process()
        if number is None:
            return False
        os.kill(number, signal.SIGTERM)
        if not wait_until(lambda: self.process() is None, limit):
            raise ToolchainError(
                f"waited {limit:.0f} s for dockerd (process {number}) to end; its log: {self.log}"
            )
        self.record.unlink(missing_ok=True)
        return True


def name_and_start(process: int) -> tuple[str, int]:
    """A live process's name, and the clock ticks from boot to its start: with its number, unique while a machine is up.

    ("", 0) when there is none.
    """
    try:
        # The name in parentheses may hold spaces and parentheses; what follows it does not.
        name, _, rest = Path("/proc", str(process), "stat").read_text().partition("(")[2].rpartition(")")
    except OSError:
        return "", 0
    words = rest.split()
    return ("", 0) if words[0] == "Z" else (name, int(words[19]))


def wait_until(condition: Callable[[], bool], limit: float) -> bool:
    """Whether a condition came true within `limit` seconds."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(0.1)
    return True


def up(
    daemon: Daemon, env: Mapping[str, str], oldest_api: str, *, systemd: bool, limit: float = START_LIMIT
) -> Answer:
    """Start the installed engine and wait until it answers. Raises ToolchainError after `limit` seconds."""
    child = None
    if systemd:
        _systemctl("start", "docker", limit)
    elif not daemon.runs():
        child = daemon.start(env)

    def settled() -> bool:
        return ask(env, oldest_api).usable or (child is not None and child.poll() is not None)

    came = wait_until(settled, limit)
    answer = ask(env, oldest_api)
    if answer.usable:
        return answer
    waited = "ended at once" if came else f"did not answer within {limit:.0f} s"
    where_to_look = (
        "see: journalctl -u docker" if systemd else f"the end of {daemon.log}:\n{tail(daemon.log)}"
    )
    raise ToolchainError(f"engine: dockerd {waited} at {answer.where} ({answer.detail}); {where_to_look}")


def _systemctl(verb: str, unit: str, limit: float) -> None:
    words = ["systemctl", verb, unit]
    try:
        subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit, check=True
        )
    except subprocess.TimeoutExpired:
        raise ToolchainError(
            f"engine: gave up waiting for `systemctl {verb} {unit}` after {limit:.0f} s"
        ) from None
    except subprocess.CalledProcessError as error:
        why = error.stderr.strip()
        raise ToolchainError(f"engine: systemctl {verb} {unit}: {why}; see: journalctl -u {unit}") from None
