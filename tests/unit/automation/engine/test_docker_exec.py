"""What a command in a container says is read whole, however it comes: with the answer's head in one packet, or in parts."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from automation.engine import docker_exec
from testbed import container_exec

HEAD = (
    b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
    b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
)
LINK = b"http://acme.example/login/one-time\n"
LIMIT_SECONDS = 20


def frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


class Engine:
    """An engine at a Unix socket that answers an exec by these parts, one packet each."""

    def __init__(self, path: Path, parts: list[bytes]) -> None:
        self.parts = parts
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen()
        self.address = f"unix://{path}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        client.settimeout(LIMIT_SECONDS)
        with client:
            while method := self._request(client):
                if b"/start" in method:
                    for part in self.parts:
                        client.sendall(part)
                    return
                body = json.dumps({"Id": "exec", "ExitCode": 0}).encode()
                head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                client.sendall(head % len(body) + body)

    def _request(self, client: socket.socket) -> bytes:
        """The head of a request, its body read as well."""
        request = b""
        while b"\r\n\r\n" not in request:
            part = client.recv(65536)
            if not part:
                return b""
            request += part
        head, _, body = request.partition(b"\r\n\r\n")
        lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        length = int(lengths[0].partition(b":")[2]) if lengths else 0
        while len(body) < length:
            body += client.recv(65536)
        return head


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Callable[[list[bytes]], docker.APIClient]]:
    made: list[Engine] = []
    clients: list[docker.APIClient] = []

    def start(parts: list[bytes]) -> docker.APIClient:
        made.append(Engine(tmp_path / "e.sock", parts))
        clients.append(docker.APIClient(base_url=made[0].address, version="1.41", timeout=LIMIT_SECONDS))
        return clients[0]

    yield start
    for client in clients:
        client.close()
    for each in made:
        each.server.close()


@pytest.mark.parametrize(
    "parts",
    [
        [HEAD + frame(1, LINK)],
        [HEAD, frame(1, LINK)],
        [HEAD + frame(1, LINK)[:3], frame(1, LINK)[3:20], frame(1, LINK)[20:]],
        [HEAD + frame(1, LINK[:5]), frame(1, LINK[5:])],
    ],
    ids=["with the head", "after the head", "torn", "two frames"],
)
def test_nothing_is_lost(engine: Callable[[list[bytes]], docker.APIClient], parts: list[bytes]) -> None:
    client = engine(parts)
    assert docker_exec.run(client, "acme-lms", "say") == (0, LINK.decode(), "")
    assert container_exec.run(client, "acme-lms", "say") == (0, LINK.decode())


def test_the_streams_are_told_apart(engine: Callable[[list[bytes]], docker.APIClient]) -> None:
    client = engine([HEAD + frame(1, b"a") + frame(2, b"wrong"), frame(1, b"b")])
    assert docker_exec.run(client, "acme-lms", "say") == (0, "ab", "wrong")
    assert container_exec.run(client, "acme-lms", "say", stderr=False) == (0, "ab")
