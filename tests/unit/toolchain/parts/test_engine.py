"""Asking an engine over its socket, and the dockerd that is started where none answers."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.parts.dockerd import Daemon, awaited, look, up
from toolchain.parts.engine import ask, judge, refusal

PING = b"HTTP/1.0 200 OK\r\nApi-Version: 1.41\r\nServer: Docker\r\n\r\nOK"

# A program of the name dockerd: it serves on DOCKER_HOST's socket by Python, and ends on SIGTERM.
DOCKERD = """#!/bin/sh
{body}
"""
SERVE = """
import os, socket
path = os.environ["DOCKER_HOST"].removeprefix("unix://")
server = socket.socket(socket.AF_UNIX)
server.bind(path + ".new")
server.listen()
os.rename(path + ".new", path)
while True:
    talk, _ = server.accept()
    talk.recv(4096)
    talk.sendall(b"HTTP/1.0 200 OK\\r\\nApi-Version: 1.41\\r\\n\\r\\n")
    talk.close()
"""


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
                for byte in PING:
                    talk.sendall(bytes([byte]))

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"unix://{path}"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


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
    said = refusal(answer, {"DOCKER_HOST": "tcp://host:2375"}, root=True, debian=True, install="x")
    assert "without TLS" in said
    assert "ssh://" in said


@pytest.mark.parametrize("where", ["tcp://", "tcp://127.0.0.1:x", "unix://", "unix:///" + "a" * 200])
def test_a_wrong_address_is_absent(where: str) -> None:
    assert ask({"DOCKER_HOST": where}, "1.41", limit=0.5).state == "absent"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[tuple[Daemon, dict[str, str]]]:
    """A machine whose dockerd is a script; what of it still runs at the end is ended."""
    serve = tmp_path / "serve.py"
    serve.write_text(SERVE)
    program(tmp_path, f"python3 {serve} & serving=$!; trap 'kill $serving; exit' TERM; wait")
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "DOCKER_HOST": f"unix://{tmp_path}/docker.sock"}
    daemon = Daemon(tmp_path / "engine", pid_file=tmp_path / "docker.pid")
    yield daemon, env
    daemon.stop()


def program(folder: Path, body: str) -> None:
    path = folder / "dockerd"
    path.write_text(DOCKERD.format(body=body))
    path.chmod(0o755)


def test_dockerd_is_started_and_stopped(machine: tuple[Daemon, dict[str, str]]) -> None:
    daemon, env = machine
    assert not daemon.stop()
    assert up(daemon, env, "1.41", systemd=False).state == "ready"
    process = daemon.process()
    assert process is not None
    assert os.getsid(process) == process
    assert daemon.stop()
    assert daemon.process() is None
    assert not daemon.record.exists()


def test_a_dockerd_that_ends_is_told_with_its_log(machine: tuple[Daemon, dict[str, str]]) -> None:
    daemon, env = machine
    program(daemon.folder.parent, "echo failed to start: no space left on device; exit 1")
    with pytest.raises(
        ToolchainError, match=r"dockerd ended at once at unix://.*\n +failed to start: no space"
    ):
        up(daemon, env, "1.41", systemd=False)


def test_a_dockerd_that_never_answers_is_given_up(machine: tuple[Daemon, dict[str, str]]) -> None:
    daemon, env = machine
    program(daemon.folder.parent, "tail -f /dev/null & waiting=$!; trap 'kill $waiting; exit' TERM; wait")
    with pytest.raises(ToolchainError, match=r"dockerd did not answer within 1 s"):
        up(daemon, env, "1.41", systemd=False, limit=1)


def test_nothing_is_started_beside_one_that_is_starting(machine: tuple[Daemon, dict[str, str]]) -> None:
    daemon, env = machine
    other = Daemon(daemon.folder.parent / "other", pid_file=daemon.pid_file)
    child = other.start(env)
    assert awaited(lambda: other.process() == child.pid, 10)
    daemon.pid_file.write_text(str(child.pid))
    assert up(daemon, env, "1.41", systemd=False).state == "ready"
    assert daemon.process() is None
    assert other.stop()


def test_a_pid_file_of_the_dead_is_removed(machine: tuple[Daemon, dict[str, str]]) -> None:
    daemon, env = machine
    daemon.pid_file.write_text(str(os.getpid()))
    assert up(daemon, env, "1.41", systemd=False).usable
    assert not daemon.pid_file.exists()


@pytest.mark.parametrize(
    "record",
    [
        "",
        "x y",
        "1",
        "999999999 5",
        pytest.param(f"{os.getpid()} 1", id="this one's number, begun at another time"),
    ],
)
def test_another_process_is_never_stopped(tmp_path: Path, record: str) -> None:
    daemon = Daemon(tmp_path)
    daemon.record.write_text(record)
    assert not daemon.stop()


def test_a_process_of_the_same_number_but_another_start_is_another(
    tmp_path: Path, machine: tuple[Daemon, dict[str, str]]
) -> None:
    daemon, _ = machine
    child = subprocess.Popen([tmp_path / "dockerd"], env={**os.environ, "DOCKER_HOST": "unix:///none"})
    try:
        daemon.folder.mkdir()
        daemon.record.write_text(f"{child.pid} {look(child.pid)[1] + 1}")
        assert daemon.process() is None
        daemon.record.write_text(f"{child.pid} {look(child.pid)[1]}")
        assert daemon.process() == child.pid
    finally:
        daemon.record.unlink()
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=10)
