"""The Docker engine: one that answers is used as it is; else Debian's is started, in a session of its own."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from toolchain.errors import ToolchainError
from toolchain.pins import fits
from toolchain.process import tail

SOCKET = "/var/run/docker.sock"
ANSWER_LIMIT = 5.0
START_LIMIT = 90.0
STOP_LIMIT = 90.0
LOG_BYTES = 10_000_000
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"

State = Literal["ready", "absent", "denied", "old", "unasked"]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an engine said. unasked: DOCKER_HOST is of a kind (ssh, TLS) that only Docker's own client can ask."""

    state: State
    where: str
    version: str = ""
    detail: str = ""

    @property
    def usable(self) -> bool:
        return self.state in ("ready", "unasked")


def address(env: Mapping[str, str]) -> str:
    return env.get("DOCKER_HOST") or f"unix://{SOCKET}"


def ask(env: Mapping[str, str], oldest_api: str, limit: float = ANSWER_LIMIT) -> Answer:
    """Ask the engine for its API version; never raises, never waits longer than `limit` seconds."""
    where = address(env)
    kind, _, rest = where.partition("://")
    if kind == "tcp" and not env.get("DOCKER_TLS_VERIFY"):
        host, _, port = rest.rstrip("/").rpartition(":")
        family, target = socket.AF_INET, (host.strip("[]"), int(port) if port.isdigit() else 2375)
    elif kind == "unix":
        family, target = socket.AF_UNIX, rest  # type: ignore[assignment]
    else:
        return Answer(state="unasked", where=where)
    try:
        if kind == "tcp":
            talk = socket.create_connection(target, timeout=limit)
        else:
            talk = socket.socket(family, socket.SOCK_STREAM)
            talk.settimeout(limit)
            talk.connect(target)
        with talk:
            talk.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            said = b""
            while b"\r\n\r\n" not in said and len(said) < 65536 and (more := talk.recv(4096)):
                said += more
    except PermissionError:
        return Answer(state="denied", where=where)
    except OSError as error:
        return Answer(state="absent", where=where, detail=error.strerror or str(error))
    return judge(said.decode(errors="replace"), where, oldest_api)


def judge(reply: str, where: str, oldest_api: str) -> Answer:
    """What an engine's reply to a ping means."""
    head = {
        name.strip().lower(): value.strip()
        for name, colon, value in (line.partition(":") for line in reply.split("\r\n")[1:])
        if colon
    }
    api = head.get("api-version", "")
    if not api:
        return Answer(state="absent", where=where, detail=f"no Docker engine's answer: {reply[:60]!r}")
    if not fits(api, oldest_api, same_major=True):
        return Answer(
            state="old", where=where, version=api, detail=f"API {api}, needed is {oldest_api} or newer"
        )
    return Answer(state="ready", where=where, version=f"API {api}")


def refusal(answer: Answer, env: Mapping[str, str], *, root: bool, debian: bool, install: str) -> str:
    """Why no engine can be had on this machine, and the way out; empty when one is there or can be installed."""
    if answer.usable:
        return ""
    if answer.state == "old":
        return f"the Docker engine at {answer.where} is too old ({answer.detail}); upgrade it, or point DOCKER_HOST to another"
    if answer.state == "denied":
        return (
            f"this user may not use the Docker engine at {answer.where}; as root: usermod -aG docker {env.get('USER', 'USER')} "
            "(then log in anew), or run this as root"
        )
    if env.get("DOCKER_HOST"):
        return (
            f"no Docker engine answers at DOCKER_HOST={answer.where} ({answer.detail}); start that engine, "
            "or unset DOCKER_HOST to use this machine's own"
        )
    if not root:
        return f"no Docker engine answers at {answer.where} and this user is not root; as root: {install} && dockerd"
    if not debian:
        return f"no Docker engine answers at {answer.where} and this is no Debian (no apt-get); install and start Docker"
    return ""


@dataclass(frozen=True)
class Daemon:
    """The dockerd that this program started, if it did; known by its process and that process's start time."""

    folder: Path

    @property
    def record(self) -> Path:
        return self.folder / "dockerd.started"

    @property
    def log(self) -> Path:
        return self.folder / "dockerd.log"

    def process(self) -> int | None:
        """Its process number while it runs; a record of a dead or another process's is None."""
        try:
            number, started = self.record.read_text().split()[:2]
            if Path("/proc", number, "comm").read_text().strip() == "dockerd" and start_time(
                int(number)
            ) == int(started):
                return int(number)
        except (OSError, ValueError):
            pass
        return None

    def start(self, env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Start dockerd in a session of its own. It outlives us; its record is written before it is dockerd."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        forget_dead("/var/run/docker.pid")
        # The shell becomes dockerd: same process, same start time. So a kill between the two leaves nothing unknown.
        script = 'cut -d" " -f1,22 "/proc/$$/stat" >"$1.new" && mv "$1.new" "$1" && shift && exec "$@"'
        with self.log.open("ab") as log:
            return subprocess.Popen(
                ["/bin/sh", "-c", script, "sh", str(self.record), "dockerd"],
                env={**env, "PATH": f"{env.get('PATH', '/usr/bin:/bin')}:{SBIN}"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self, limit: float = STOP_LIMIT) -> bool:
        """End the dockerd that was started here, with its containers; False when none runs.

        Raises ToolchainError when it has not ended after `limit` seconds.
        """
        number = self.process()
        if number is None:
            return False
        os.kill(number, signal.SIGTERM)
        if not awaited(lambda: self.process() is None, limit):
            raise ToolchainError(
                f"waited {limit:.0f} s for dockerd (process {number}) to end; its log: {self.log}"
            )
        self.record.unlink(missing_ok=True)
        return True


def start_time(process: int) -> int:
    """Clock ticks from boot to the start of a process: with its number, unique while the machine is up."""
    # The name in parentheses may hold spaces; what follows it does not.
    return int(Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()[19])


def forget_dead(pid_file: str) -> None:
    """Remove dockerd's own pid file when its number belongs to another program now: dockerd would not start."""
    path = Path(pid_file)
    try:
        number = path.read_text().strip()
        if Path("/proc", number, "comm").read_text().strip() == "dockerd":
            return
    except OSError:
        pass
    path.unlink(missing_ok=True)


def awaited(condition: Callable[[], bool], limit: float) -> bool:
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
    """Start the installed engine and wait until it answers. Raises ToolchainError."""
    child = None
    if systemd:
        started = subprocess.run(
            ["systemctl", "start", "docker"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit,
        )
        if started.returncode != 0:
            raise ToolchainError(
                f"systemctl start docker: {started.stderr.strip()}; see: journalctl -u docker"
            )
    elif daemon.process() is None:
        child = daemon.start(env)

    def settled() -> bool:
        return ask(env, oldest_api).usable or (child is not None and child.poll() is not None)

    came = awaited(settled, limit)
    answer = ask(env, oldest_api)
    if answer.usable:
        if child is not None and child.poll() is not None:
            # Another dockerd was quicker: ours has ended by itself.
            daemon.record.unlink(missing_ok=True)
        return answer
    waited = f"no answer after {limit:.0f} s" if not came else "it ended at once"
    told = "see: journalctl -u docker" if systemd else f"its log, {daemon.log}, ends:\n{tail(daemon.log)}"
    raise ToolchainError(f"dockerd was started, but {waited} at {answer.where} ({answer.detail}); {told}")
