"""A proxy of the engine's socket that can be cut, as if the engine had gone away."""

import contextlib
import socket
import threading
from pathlib import Path
from types import TracebackType

CHUNK = 65536


class Proxy:
    """Passes bytes both ways between `path` and the engine's socket, until it is cut."""

    def __init__(self, path: Path, engine: str = "/var/run/docker.sock") -> None:
        self.path, self.engine = path, engine
        self.passed = 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._door: socket.socket | None = None

    @property
    def address(self) -> str:
        """For DOCKER_HOST."""
        return f"unix://{self.path}"

    def __enter__(self) -> "Proxy":
        self.listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()

    def listen(self) -> None:
        """Listen at `path`, also after a cut."""
        self.path.unlink(missing_ok=True)
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(self.path))
        self._door.listen(128)
        threading.Thread(target=self._accept, args=(self._door,), daemon=True).start()

    def cut(self) -> None:
        """Stop listening and break every open connection."""
        self.path.unlink(missing_ok=True)
        with self._lock:
            broken = [*self._open, *([self._door] if self._door else [])]
            self._open.clear()
            self._door = None
        for each in broken:
            # Whoever waits in it for bytes is woken by the shutdown, not by the close.
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.engine)
                with self._lock:
                    self._open |= {client, server}
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while part := source.recv(CHUNK):
                target.sendall(part)
                self.passed += len(part)
            # Half of a conversation may be over while the other half goes on.
            target.shutdown(socket.SHUT_WR)
