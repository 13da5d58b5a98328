"""gunicorn's threads, with a deadline for each client."""

from typing import Protocol

from gunicorn.workers.gthread import ThreadWorker

from service.bounded import BoundedSocket, Slow, Socket


class Connection(Protocol):
    """What is used of gunicorn's connection."""

    sock: Socket


class Worker(ThreadWorker):
    """gunicorn's own worker, with the deadlines of bounded.py."""

    def handle(self, conn: Connection) -> object:
        """Serve one request of a connection, in a thread."""
        bounded = conn.sock if isinstance(conn.sock, BoundedSocket) else BoundedSocket(conn.sock)
        conn.sock = bounded
        bounded.begin()
        try:
            handled: object = super().handle(conn)
        except Slow:
            return False
        return handled
