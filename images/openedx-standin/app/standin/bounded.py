"""A limit for a client that sends or reads slowly: it must not keep one of the few threads.

From outside nobody comes here slowly, since the load balancer takes a request whole before it hands it on. This is for
whoever is inside. gunicorn's own `timeout` is of a process, not of a request.
"""

import errno
import time

# Seconds without a byte; seconds for a request in all, to which each byte adds its share, so that what is large and
# honest may take its time.
IDLE = 15.0
FIRST = 30.0
LEAST_BYTES_A_SECOND = 8 * 1024


class Slow(ConnectionError):
    """The client was slower than the least that is expected; to gunicorn as if it had gone."""


class BoundedSocket:
    """A socket whose reads, from now on, have a deadline that what comes in puts off. All else is the socket's own."""

    def __init__(self, sock, now=time.monotonic):
        self._sock, self._now = sock, now
        self._began, self._taken = now(), 0

    def __getattr__(self, name):
        return getattr(self._sock, name)

    def begin(self):
        """Another request begins."""
        self._began, self._taken = self._now(), 0

    @property
    def left(self):
        """Seconds until the deadline."""
        return self._began + FIRST + self._taken / LEAST_BYTES_A_SECOND - self._now()

    def recv(self, *args):
        """As a socket's. Raises Slow where nothing comes in time."""
        if (left := self.left) <= 0:
            raise Slow(errno.ECONNRESET, "a client sent its request too slowly")
        self._sock.settimeout(min(IDLE, left))
        try:
            got = self._sock.recv(*args)
        except TimeoutError:
            raise Slow(errno.ECONNRESET, "a client sent its request too slowly") from None
        finally:
            # An answer is bounded as a whole (socket.sendall).
            self._sock.settimeout(FIRST)
        self._taken += len(got)
        return got
