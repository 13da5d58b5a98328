"""Proxies of the engine's socket: one that can be cut, as if the engine had gone away, and one whose answers come too late."""

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

CHUNK = 65536
# How long a request waits for the others that are to come.
LIMIT_SECONDS = 60.0


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

    def __enter__(self) -> Self:
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


class LateAnswers(Proxy):
    """A proxy whose client does not hear what comes of some requests: the engine answers later than anybody waits.

    Its connection breaks, or, of a `silent` one, nothing comes until the client gives up. A request is known by a pattern over its
    first line and its body; each is met once. None of them ends before all have come: a run begins nothing new after a failure.
    """

    def __init__(self, path: Path, *, silent: bool = False) -> None:
        super().__init__(path)
        self.silent = silent
        self._waiting: dict[str, Callable[[bytes], bool]] = {}
        self._kept_back: list[bytes] = []
        self._all_came = threading.Event()
        self._all_came.set()

    @property
    def missing(self) -> list[str]:
        """The patterns of requests that have not come."""
        return list(self._waiting)

    def lose_answer(self, pattern: str) -> None:
        """The engine does such a request, and its client hears nothing of it."""
        self._expect(pattern, self._ask)

    def keep_back(self, pattern: str) -> None:
        """The client gives up before the engine, which may be frozen, does such a request: `pass_on`."""
        self._expect(pattern, self._kept_back.append)

    def do_before(self, pattern: str, act: Callable[[], object]) -> None:
        """Somebody else is faster than such a request, which then takes its way."""

        def first(request: bytes) -> bool:
            act()
            return True

        self._expect(pattern, first)

    def pass_on(self) -> None:
        """Let the engine have what was kept back."""
        while self._kept_back:
            self._ask(self._kept_back.pop())

    def _expect(self, pattern: str, met: Callable[[bytes], object]) -> None:
        self._all_came.clear()
        # What answers nothing has lost it.
        self._waiting[pattern] = lambda request: bool(met(request))

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        if source.getpeername() == self.engine:
            super()._pass(source, target)
            return
        with contextlib.suppress(OSError):
            while request := source.recv(CHUNK):
                if request.startswith(b"POST "):
                    request += self._rest(request, source)
                    if not self._goes_on(request):
                        if self.silent:
                            # Until the client has waited long enough.
                            source.recv(CHUNK)
                        source.shutdown(socket.SHUT_RDWR)
                        break
                target.sendall(request)
                self.passed += len(request)
            target.shutdown(socket.SHUT_WR)

    def _rest(self, request: bytes, source: socket.socket) -> bytes:
        """What is still to come of a request: its body may be sent after its head."""
        rest = b""
        while b"\r\n\r\n" not in request + rest and (part := source.recv(CHUNK)):
            rest += part
        head, _, body = (request + rest).partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        missing = int(length[1]) - len(body) if length else 0
        while missing > 0 and (part := source.recv(CHUNK)):
            rest, missing = rest + part, missing - len(part)
        return rest

    def _goes_on(self, request: bytes) -> bool:
        head, _, body = request.decode(errors="replace").partition("\r\n\r\n")
        text = head.partition("\r\n")[0] + "\n" + body
        with self._lock:
            pattern = next((each for each in self._waiting if re.search(each, text)), None)
            met = self._waiting.pop(pattern) if pattern else None
            if not self._waiting:
                self._all_came.set()
        if met is None:
            return True
        self._all_came.wait(LIMIT_SECONDS)
        return met(request)

    def _ask(self, request: bytes) -> None:
        """Have the engine do what is asked for. With the head of its answer it is done."""
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self.engine)
            engine.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer and (part := engine.recv(CHUNK)):
                answer += part
        assert answer.startswith(b"HTTP/1.1 2"), answer
