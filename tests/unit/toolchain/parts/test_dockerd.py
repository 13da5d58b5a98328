"""The dockerd that is started where none answers."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.parts.dockerd import Daemon, name_and_start, up, wait_until

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


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[tuple[Daemon, dict[str, str]]]:
    """A machine whose dockerd is a script; what of it still runs at the end is ended."""
    serve = tmp_path / "serve.py"
    serve.write_text(SERVE)
    program(tmp_path, f"trap 'kill $! 2>/dev/null; exit' TERM; python3 {serve} & wait")
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
    assert wait_until(lambda: other.process() == child.pid, 10)
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
        daemon.record.write_text(f"{child.pid} {name_and_start(child.pid)[1] + 1}")
        assert daemon.process() is None
        daemon.record.write_text(f"{child.pid} {name_and_start(child.pid)[1]}")
        assert daemon.process() == child.pid
    finally:
        daemon.record.unlink()
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=10)
