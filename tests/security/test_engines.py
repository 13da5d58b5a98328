"""Whose words lead to which engine, what a look at its host may do there, and who may delete what."""

import re
from typing import Any

import pytest

from automation.engine import inventory
from automation.errors import NoEngine
from automation.portals import orphans
from config.portal import owner
from config.values import placement
from plugins.docker.engine import EngineError, connect
from preflight import facts
from tests.fake_engine import FakeEngine
from tests.programs import ROOT
from tests.security.hostile import TEXTS

# Each reaches another machine without TLS in one client or the other, or tries to look as if it did not.
OPEN = (
    "tcp://10.0.0.5:2375", "tcp://docker1:2375", "TCP://10.0.0.5:2375", "http://10.0.0.5:2375", "HTTP://127.0.0.1.example:2375",
    "10.0.0.5:2375", "docker1:2375", "docker1", "https://10.0.0.5:2376", "http+unix://%2Fvar%2Frun%2Fdocker.sock",
    "tcp://127.0.0.1@10.0.0.5:2375", "tcp://127.0.0.1:80@10.0.0.5:2375", "tcp://127.0.0.1.example:2375", "tcp://127.example:2375",
    "tcp://localhost.example:2375", "tcp://10.0.0.5:2375/127.0.0.1:1", "tcp://10.0.0.5:2375#127.0.0.1:1", "tcp://10.0.0.5",
    "tcp://0.0.0.0:2375", "tcp://[::]:2375", "tcp://[fe80::1]:2375", "tcp://[::ffff:10.0.0.5]:2375", "tcp://2130706433:2375",
    "npipe:////./pipe/docker_engine", "fd://", "docker+ssh://docker1", " tcp://10.0.0.5:2375", "\ttcp://10.0.0.5:2375",
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("host", OPEN)
def test_an_engine_without_tls_is_not_talked_to(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert placement.refusal(host, {})
    # Neither by the command, from a file or from the shell, nor by the plugin; none gets as far as a socket.
    monkeypatch.setattr("docker.APIClient", lambda *words, **more: pytest.fail(f"asked {host}"))
    with pytest.raises(NoEngine), inventory.connect(host):
        pass
    with pytest.raises(EngineError, match="without TLS"):
        connect(host)
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(NoEngine), inventory.connect():
        pass


@pytest.mark.parametrize("half", [{"DOCKER_TLS_VERIFY": "1"}, {"DOCKER_CERT_PATH": "/certs"}])
def test_half_of_tls_is_none(half: dict[str, str]) -> None:
    """Without a check of its name whoever stands between is the engine; without certificates one of the plugins uses none."""
    assert placement.refusal("tcp://10.0.0.5:2376", half)


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_of_others_is_an_owners_name_but_a_plain_one(text: str) -> None:
    """It is shown on terminals and typed into commands: whatever a label or a file on the drive says."""
    for name in (owner.plain(text), orphans.parse_owner("./oak/.portal/owner", text)[1]):
        assert name in ("", text)
        assert not name or owner.PLAIN.fullmatch(name)


@pytest.mark.parametrize("text", TEXTS)
def test_whoever_made_a_backend_its_name_is_plain(text: str, tmp_path: Any) -> None:
    owner.make(tmp_path, text)
    assert owner.PLAIN.fullmatch(owner.read(tmp_path))


def test_a_look_at_a_host_can_do_nothing_there() -> None:
    made = FakeEngine(output="")
    facts.of_host(made, "portals/ops:1", "/srv/portals")
    (created,) = made.created
    assert max(made.waited) <= 30
    assert made.there == {}
    config = created["host_config"]
    assert created["user"] == "65534:65534"
    assert config["network_mode"] == "host"
    assert (config["cap_drop"], config["read_only"]) == (["ALL"], True)
    assert "cap_add" not in config
    assert not {"privileged", "pid_mode", "ipc_mode", "binds", "devices", "uts_mode"} & set(config)
    assert config["security_opt"] == ["no-new-privileges:true"]
    assert config["pids_limit"] <= 16
    (mount,) = config["mounts"]
    assert (mount["Source"], mount["ReadOnly"]) == ("/srv/portals/.portals-drive", True)


def test_every_client_of_an_engine_is_made_where_its_address_was_looked_at() -> None:
    """By one place of the command and the program, and by one of the plugin."""
    makers = {
        str(path.relative_to(ROOT)): path.read_text()
        for folder in ("automation", "components", "preflight", "plugins", "toolchain", "policies")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\bAPIClient\(|docker\.from_env|DockerClient\(", path.read_text())
    }
    assert set(makers) == {
        "automation/engine/inventory.py",
        "automation/images/engine.py",
        "plugins/docker/engine.py",
        "preflight/tenant.py",
    }
    assert "if unprotected(host)" in makers.pop("plugins/docker/engine.py")
    assert all("connection.client_arguments(" in text for text in makers.values())
