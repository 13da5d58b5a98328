"""Deadlines for clients that send or read slowly, so that none keeps one of the few threads.

Clients from outside are never slow here, because the load balancer reads a whole request before it forwards it. This is
for containers of the portal. gunicorn's own `timeout` is for a process, not for a request.
"""

import errno
import time
from collections.abc import Callable
from typing import Any, Protocol

# Seconds without a byte; seconds for a request in all. Each byte extends the second limit, so that a large request of a
# fast client may take longer.
IDLE = 15.0
FIRST = 30.0
LEAST_BYTES_A_SECOND = 8 * 1024


class Socket(Protocol):
    """What is used of a socket."""

    def recv(self, *args: Any) -> bytes:
        """As a socket's."""

    def settimeout(self, value: float | None, /) -> None:
        """As a socket's."""


class Slow(ConnectionError):
    """The client was slower than the least rate. gunicorn treats it as a client that has disconnected."""


class BoundedSocket:
    """A socket whose reads have a deadline, which received bytes extend. Everything else is the socket's own."""

    def __init__(self, sock: Socket, now: Callable[[], float] = time.monotonic) -> None:
        self._sock, self._now = sock, now
        self._began, self._received = now(), 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def settimeout(self, value: float | None, /) -> None:
        """As a socket's."""
        self._sock.settimeout(value)

    def begin(self) -> None:
        """Start the deadline of another request."""
        self._began, self._received = self._now(), 0

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self._began + FIRST + self._received / LEAST_BYTES_A_SECOND - self._now()

    def recv(self, *args: Any) -> bytes:
        """As a socket's. Raises Slow if nothing is received in time."""
        if (left := self.left) <= 0:
            raise Slow(errno.ECONNRESET, "a client sent its request too slowly")
        self._sock.settimeout(min(IDLE, left))
        try:
            data = self._sock.recv(*args)
        except TimeoutError:
            raise Slow(errno.ECONNRESET, "a client sent its request too slowly") from None
        finally:
            # The whole answer has this limit (socket.sendall).
            self._sock.settimeout(FIRST)
        self._received += len(data)
        return data
