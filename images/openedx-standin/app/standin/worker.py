"""gunicorn's threads, each bounded in how long a client may keep it."""

from gunicorn.workers.gthread import ThreadWorker

from standin.bounded import BoundedSocket, Slow


class Worker(ThreadWorker):
    """As gunicorn's own; see bounded.py."""

    def handle(self, conn):
        """One request of a connection, in a thread."""
        if not isinstance(conn.sock, BoundedSocket):
            conn.sock = BoundedSocket(conn.sock)
        conn.sock.begin()
        try:
            return super().handle(conn)
        except Slow:
            return False
