"""The Docker engine, seen from asyncio: calls in threads, errors in one line, waits that can be cancelled."""

import asyncio
import atexit
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from plugins.docker.events import Events
from plugins.docker.threads import Threads
from plugins.docker.tunnel import SCHEME, Tunnel
from plugins.docker.unrecorded import Unrecorded
from plugins.errors import Cancelled, Refused, one_line

LOCAL = "unix:///var/run/docker.sock"
THREADS = 64
"""How many calls the engine may be asked at once; the others queue."""

CALL_SECONDS = 120
"""How long one call may take before the engine counts as hung; a stop may take its grace longer."""

GONE = 404
CONFLICT = 409
NOT_MODIFIED = 304

Call = Callable[[Any], Any]


class EngineError(Refused):
    """The engine refused a call; `status` is the HTTP status, 0 where there was no answer at all."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status


class Engine:
    """One engine, reached when first needed: a preview needs none."""

    def __init__(self, host: str = "") -> None:
        self.host = host or os.environ.get("DOCKER_HOST", "") or LOCAL
        self.credentials: dict[str, dict[str, str]] = {}
        self.cancelled = asyncio.Event()
        self.events = Events(self.client)
        self.unrecorded = Unrecorded()
        self._threads = Threads(THREADS)
        self._connecting = threading.Lock()
        self._client: Any = None

    async def call(self, work: Call) -> Any:
        """Return what `work` gets from the engine's client; raises EngineError."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._engine_reason, work)

    async def none_if_gone(self, work: Call) -> Any:
        """Return what `work` gets from the engine's client, or None where the engine has no such thing."""
        try:
            return await self.call(work)
        except EngineError as error:
            if error.status == GONE:
                return None
            raise

    async def clean_up(self) -> None:
        """Remove what was made and will never be recorded."""
        removals = [self.call(each) for each in await self.unrecorded.removals()]
        await asyncio.gather(*removals, return_exceptions=True)

    async def cancellable(self, wait: Coroutine[Any, Any, Any], what: str) -> Any:
        """Return the result of `wait`. Raises Cancelled as soon as the CLI wants to end, EngineError for the engine's no."""
        waiting = asyncio.ensure_future(wait)
        ending = asyncio.ensure_future(self.cancelled.wait())
        try:
            await asyncio.wait((waiting, ending), return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
            raise Cancelled(f"cancelled while waiting {what}")
        finally:
            ending.cancel()
            waiting.cancel()

    async def wait_at_most(self, wait: Coroutine[Any, Any, Any], seconds: float, what: str) -> Any:
        """Return the result of `wait`, until cancelled; raises Refused after `seconds`."""
        try:
            return await asyncio.wait_for(self.cancellable(wait, what), seconds)
        except TimeoutError:
            raise Refused(f"gave up after {seconds:g} s of waiting {what}") from None

    def client(self) -> Any:
        """Return the engine's client, made at the first call; raises EngineError."""
        with self._connecting:
            if self._client is None:
                self._client = connect(self.host)
        return self._client

    def _engine_reason(self, work: Call) -> Any:
        try:
            return work(self.client())
        except Refused:
            raise
        except Exception as error:  # noqa: BLE001
            raise engine_error(error, self.host) from None


def connect(host: str) -> Any:
    """Return a client of the engine at `host`, with the newest API that both speak.

    Raises EngineError for a TCP address without TLS (https://docs.docker.com/engine/security/protect-access/), and for an
    engine that does not answer.
    """
    if unprotected(host):
        raise EngineError(
            f"{host} would be used without TLS, and whoever reaches that port is root there: use ssh://user@host, or set "
            "DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH to a folder with ca.pem, cert.pem and key.pem"
        )
    # Imported late: it takes a quarter of a second, and a preview does without.
    import docker

    # One behind ssh is brought here until this process ends.
    address = host
    if host.startswith(SCHEME):
        way = Tunnel(host)
        atexit.register(way.close)
        address = way.address
    return docker.APIClient(
        address, version="auto", timeout=CALL_SECONDS, max_pool_size=THREADS, tls=tls(host)
    )


def unprotected(host: str) -> bool:
    """Whether an engine would be reached over a network by what everybody there may read, change and pretend to be."""
    kind, _, rest = host.partition("://")
    name = rest.rstrip("/").rpartition(":")[0].strip("[]") or rest
    protected = os.environ.get("DOCKER_TLS_VERIFY") and os.environ.get("DOCKER_CERT_PATH")
    # Clients take more than these three (`http://`, `TCP://`, a bare `host:port`), and all of that is without TLS.
    return kind not in ("unix", "ssh", "tcp") or (kind == "tcp" and not _is_here(name) and not protected)


def _is_here(name: str) -> bool:
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def tls(host: str) -> Any:
    """Return the TLS set-up that Docker's own environment variables ask for."""
    folder = os.environ.get("DOCKER_CERT_PATH", "")
    if not folder or not host.startswith("tcp://"):
        return False
    import docker

    certificate, key, authority = (str(Path(folder) / name) for name in ("cert.pem", "key.pem", "ca.pem"))
    verify = os.environ.get("DOCKER_TLS_VERIFY", "") != ""
    return docker.tls.TLSConfig(client_cert=(certificate, key), ca_cert=authority, verify=verify)


def engine_error(error: Exception, host: str) -> EngineError:
    """Return the engine's own reason, or why it could not be reached, in one line."""
    import docker

    if isinstance(error, docker.errors.APIError):
        reason = error.explanation
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason or error)
        return EngineError(text, error.status_code or 0)
    if isinstance(error, OSError | docker.errors.DockerException):
        return EngineError(f"cannot reach the Docker engine at {host}: {root_cause(error)}")
    return EngineError(f"{type(error).__name__}: {error}")


def root_cause(error: BaseException) -> str:
    """Return the innermost reason of an error that wraps others."""
    cause, inner = error, _inner(error)
    while inner is not None:
        cause, inner = inner, _inner(inner)
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return one_line(str(cause)) or type(cause).__name__


def _inner(error: BaseException) -> BaseException | None:
    held = [each for arg in error.args for each in (arg if isinstance(arg, tuple) else (arg,))]
    wrapped = [error.__cause__, *held, getattr(error, "reason", None)]
    return next((each for each in wrapped if isinstance(each, BaseException)), None)


async def poll(done: Callable[[], Awaitable[bool]], every: float) -> None:
    """Return once `done` says so, asked every `every` seconds."""
    while not await done():
        await asyncio.sleep(every)
