"""The Docker engine, asked over its socket: whether it answers, whether it is new enough, and what to do if not."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from config.values import placement
from toolchain.pins import is_new_enough

SOCKET = "/var/run/docker.sock"
ANSWER_LIMIT = 5.0

State = Literal["ready", "absent", "denied", "old", "unasked", "refused"]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an engine said.

    unasked: DOCKER_HOST is of a kind (ssh, TLS) that only Docker's own client can ask. refused: it may not be asked.
    """

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
    """Ask the engine for its API version. Never raises; waits at most `limit` seconds for each thing it waits for."""
    where = address(env)
    kind, _, rest = where.partition("://")
    if why := placement.refusal(where, env):
        return Answer(state="refused", where=where, detail=why)
    if kind not in ("unix", "tcp") or (kind == "tcp" and env.get("DOCKER_TLS_VERIFY")):
        return Answer(state="unasked", where=where)
    try:
        with _connect(kind, rest, limit) as talk:
            talk.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            answer = b""
            while b"\r\n\r\n" not in answer and len(answer) < 65536 and (more := talk.recv(4096)):
                answer += more
    except PermissionError:
        return Answer(state="denied", where=where)
    except OSError as error:
        return Answer(state="absent", where=where, detail=error.strerror or str(error))
    return judge(answer.decode(errors="replace"), where, oldest_api)


def _connect(kind: str, rest: str, limit: float) -> socket.socket:
    if kind == "tcp":
        host, _, port = rest.rstrip("/").rpartition(":")
        return socket.create_connection(
            (host.strip("[]"), int(port) if port.isdigit() else 2375), timeout=limit
        )
    talk = socket.socket(socket.AF_UNIX)
    try:
        talk.settimeout(limit)
        talk.connect(rest)
    except OSError:
        talk.close()
        raise
    return talk


def judge(reply: str, where: str, oldest_api: str) -> Answer:
    """What an engine's reply to a ping means."""
    head = {
        name.strip().lower(): value.strip()
        for name, colon, value in (line.partition(":") for line in reply.split("\r\n")[1:])
        if colon
    }
    api = head.get("api-version", "")
    if not api:
        return Answer(state="absent", where=where, detail=f"not a Docker engine's answer: {reply[:60]!r}")
    if not is_new_enough(api, oldest_api, same_major=True):
        return Answer(
            state="old", where=where, version=api, detail=f"API {api}, needed is {oldest_api} or newer"
        )
    return Answer(state="ready", where=where, version=f"API {api}")


def refusal(answer: Answer, env: Mapping[str, str], *, root: bool, debian: bool, install: str) -> str:
    """Why no engine can be had on this machine, and the remedy; empty when one is there or can be installed."""
    if answer.usable:
        return ""
    if answer.state == "refused":
        return answer.detail
    if answer.state == "old":
        return f"the Docker engine at {answer.where} is too old ({answer.detail}); upgrade it, or set DOCKER_HOST to another one"
    if answer.state == "denied":
        return (
            f"this user may not use the Docker engine at {answer.where}; as root: usermod -aG docker "
            f"{env.get('USER', 'USER')} (then log in again), or run this as root"
        )
    if env.get("DOCKER_HOST"):
        return (
            f"no Docker engine answers at DOCKER_HOST={answer.where} ({answer.detail}); start that engine, "
            "or unset DOCKER_HOST to use this machine's own"
        )
    if not root:
        return f"no Docker engine answers at {answer.where} and this user is not root; as root: {install} && dockerd"
    if not debian:
        return f"no Docker engine answers at {answer.where} and this is not Debian (no apt-get); install and start Docker"
    return ""
