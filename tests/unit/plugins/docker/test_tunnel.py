"""The way to an engine on another machine: by which words, how it fails, and that nothing stays of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from automation.engine import inventory
from automation.errors import NoEngine
from plugins.docker import tunnel
from plugins.docker.tunnel import NoWay, Tunnel, command
from testbed.waiting import until

READY = tunnel.READY.decode()
HOST = "ssh://ops@docker1.example:2222"


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ssh client that does as the test says, and a place for temporary files that nobody else has."""
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setattr(tunnel, "_short", lambda: str(tmp_path / "held"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "held").mkdir()
    return tmp_path / "bin" / "ssh"


def does(client: Path, script: str) -> None:
    client.write_text(f"#!/bin/sh\n{script}\n")
    client.chmod(0o755)


def held(client: Path) -> list[Path]:
    return list((client.parent.parent / "held").iterdir())


def test_the_words_say_the_machine_and_nothing_that_a_person_would_be_asked() -> None:
    words = command(HOST, Path("/t/docker.sock"))
    assert words[0] == "ssh"
    assert words[words.index("-L") + 1] == "/t/docker.sock:/var/run/docker.sock"
    assert words[words.index("-p") + 1] == "2222"
    assert words[-3:-1] == ["--", "ops@docker1.example"]
    assert {"BatchMode=yes", "ExitOnForwardFailure=yes", "ControlPath=none"} <= set(words)
    # Whom to trust is the user's own settings' to say.
    assert "StrictHostKeyChecking" not in " ".join(words)


@pytest.mark.parametrize("host", ["ssh://-oProxyCommand=reboot", "ssh://-l@docker1", "ssh://", "ssh:///x"])
def test_a_name_that_is_an_option_is_none(host: str) -> None:
    with pytest.raises(NoWay):
        command(host, Path("/t/docker.sock"))


def test_a_way_is_there_until_it_is_closed(client: Path) -> None:
    does(client, f"echo welcome; echo {READY}; exec cat >/dev/null")
    way = Tunnel(HOST)
    (folder,) = held(client)
    assert way.address == f"unix://{folder}/docker.sock"
    assert folder.stat().st_mode & 0o777 == 0o700
    way.close()
    assert held(client) == []


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'Permission denied (publickey).' >&2; exit 255", "Permission denied"),
        ("echo 'Host key verification failed.' >&2; exit 255", "Host key verification failed"),
        ("exit 255", "no answer"),
        ("echo motd; sleep 60", "no answer"),
        ("sleep 60", "no answer within 0 s"),
    ],
)
def test_where_ssh_does_not_get_there_its_own_words_say_why(
    client: Path, script: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "LIMIT_SECONDS", 0.3)
    monkeypatch.setattr(tunnel, "END_SECONDS", 0.1)
    does(client, script)
    with pytest.raises(NoWay, match=f"ssh to {HOST}: .*{why}"):
        Tunnel(HOST)
    assert held(client) == []


def test_without_an_ssh_client_the_engine_is_told_as_absent(
    client: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    does(client, "echo 'ssh: not there' >&2; exit 127")
    with (
        pytest.raises(NoEngine, match=r"no Docker engine answers at ssh://.*not there; check that it runs"),
        inventory.connect(HOST),
    ):
        pass
    assert held(client) == []


def test_a_process_that_is_killed_leaves_nothing(client: Path) -> None:
    does(client, f"echo welcome; echo {READY}; exec cat >/dev/null")
    place = client.parent.parent / "held"
    script = (
        "import time; from plugins.docker import tunnel; "
        f"tunnel._short = lambda: {str(place)!r}; way = tunnel.Tunnel({HOST!r}); print('up', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        assert len(held(client)) == 1
        process.send_signal(signal.SIGKILL)
    until("the folder of a killed process to go", lambda: not held(client), limit=10)
