"""Asking an engine over its socket."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.toolchain.answering_socket import PING, answering
from toolchain.parts.engine import ask, judge, refusal


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        ("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n\r\nOK", "ready"),
        ("HTTP/1.1 200 OK\r\nAPI-VERSION:1.47\r\n\r\nOK", "ready"),
        ("HTTP/1.1 200 OK\r\nApi-Version: 1.40\r\n\r\nOK", "old"),
        ("HTTP/1.1 200 OK\r\nApi-Version: 2.0\r\n\r\nOK", "old"),
        ("HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n", "absent"),
        ("HTTP/1.1 200 OK\r\nApi-Version: \r\n\r\n", "absent"),
        ("SSH-2.0-OpenSSH_9.2", "absent"),
        ("", "absent"),
    ],
)
def test_what_a_reply_means(reply: str, state: str) -> None:
    assert judge(reply, "unix:///s", "1.41").state == state


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """A socket on which something answers like an engine, a byte at a time."""
    path = tmp_path / "docker.sock"
    with answering(path, part_bytes=1):
        yield f"unix://{path}"


def test_an_engine_that_answers(served: str) -> None:
    answer = ask({"DOCKER_HOST": served}, "1.41")
    assert (answer.state, answer.version, answer.usable) == ("ready", "API 1.41", True)


def test_nothing_there(tmp_path: Path) -> None:
    answer = ask({"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}, "1.41")
    assert (answer.state, answer.detail) == ("absent", "No such file or directory")


def test_a_socket_that_nobody_serves(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
    answer = ask({"DOCKER_HOST": f"unix://{tmp_path}/s"}, "1.41")
    assert (answer.state, answer.detail) == ("absent", "Connection refused")


def test_an_engine_that_hangs_is_given_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()
        answer = ask({"DOCKER_HOST": f"unix://{tmp_path}/s"}, "1.41", limit=0.2)
    assert (answer.state, answer.detail) == ("absent", "timed out")


def test_a_tcp_engine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            talk, _ = server.accept()
            with talk:
                talk.recv(4096)
                talk.sendall(PING)

        thread = threading.Thread(target=serve)
        thread.start()
        assert ask({"DOCKER_HOST": f"tcp://127.0.0.1:{port}"}, "1.41").state == "ready"
        thread.join()
    assert ask({"DOCKER_HOST": f"tcp://127.0.0.1:{port}"}, "1.41").state == "absent"


@pytest.mark.parametrize(
    "env",
    [
        {"DOCKER_HOST": "ssh://root@host"},
        {"DOCKER_HOST": "tcp://host:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"},
    ],
)
def test_what_only_dockers_client_can_ask_is_believed(env: dict[str, str]) -> None:
    assert ask(env, "1.41").usable


@pytest.mark.parametrize("env", [{}, {"DOCKER_TLS_VERIFY": "1"}, {"DOCKER_CERT_PATH": "/certs"}])
def test_what_a_network_could_read_is_not_asked(env: dict[str, str]) -> None:
    answer = ask({"DOCKER_HOST": "tcp://host:2375", **env}, "1.41")
    assert (answer.state, answer.usable) == ("refused", False)
    why = refusal(answer, {"DOCKER_HOST": "tcp://host:2375"}, root=True, debian=True, install="x")
    assert "without TLS" in why
    assert "ssh://" in why


@pytest.mark.parametrize("where", ["tcp://", "tcp://127.0.0.1:x", "unix://", "unix:///" + "a" * 200])
def test_a_wrong_address_is_absent(where: str) -> None:
    assert ask({"DOCKER_HOST": where}, "1.41", limit=0.5).state == "absent"
