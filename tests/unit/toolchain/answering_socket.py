"""A socket on which something answers as an engine does when it is asked for its version."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PING = b"HTTP/1.0 200 OK\r\nApi-Version: 1.41\r\nServer: Docker\r\n\r\nOK"


@contextmanager
def answering(path: Path, part_bytes: int = len(PING)) -> Iterator[None]:
    """Answer every connection, in parts of so many bytes, until the end of the block."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def serve() -> None:
        while True:
            try:
                talk, _ = server.accept()
            except OSError:
                return
            # Who asks hangs up as soon as it has read enough, which may be before the last byte.
            with talk, contextlib.suppress(ConnectionError):
                talk.recv(4096)
                for start in range(0, len(PING), part_bytes):
                    talk.sendall(PING[start : start + part_bytes])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()
