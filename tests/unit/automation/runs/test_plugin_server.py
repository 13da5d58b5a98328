"""The repo's own plugins in this process: attached to where they are those of the machine, and nowhere else."""

import os
from collections.abc import Mapping
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

from automation.runs import plugin_server, workspaces
from config.portal.resource_types import DOCKER_PROVIDER
from toolchain import files
from toolchain.parts import plugins

OFFICIAL = "\x7fELF"


def home(folder: Path, **programs: str) -> Path:
    """A Pulumi home with these programs as plugins."""
    for name, text in programs.items():
        path = plugins.program(folder, name, plugin_server.PLUGINS[name][0])
        path.parent.mkdir(parents=True)
        files.write(path, text, mode=0o755)
    return folder


def launcher(name: str) -> str:
    """What `./portal setup` writes."""
    return plugins.launcher(name, Path("/usr/bin/python3"), Path("/sources"))


@pytest.fixture(autouse=True)
def nobody_debugs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(plugin_server.VARIABLE, raising=False)


def version(environ: Mapping[str, str], name: str) -> str:
    """What the plugin at its port says that it is."""
    port = dict(each.split(":") for each in environ[plugin_server.VARIABLE].split(","))[name]
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        plugin = provider_pb2_grpc.ResourceProviderStub(channel)
        return str(plugin.GetPluginInfo(empty_pb2.Empty(), timeout=10).version)


def test_the_repos_own_answer_at_their_ports_until_the_run_is_over(tmp_path: Path) -> None:
    place = home(tmp_path, docker=launcher("docker"), random=launcher("random"))
    with plugin_server.serve_plugins(place, tuple(plugin_server.PLUGINS)) as environ:
        for name, (minimum_version, _) in plugin_server.PLUGINS.items():
            assert version(environ, name) == minimum_version
    with pytest.raises(grpc.RpcError):
        version(environ, "docker")


@pytest.mark.parametrize(("engines", "names"), [(0, ["random"]), (1, ["docker", "random"]), (2, ["random"])])
def test_one_process_removes_from_one_engine(engines: int, names: list[str]) -> None:
    resources = [{"type": DOCKER_PROVIDER}] * engines + [
        {"type": "pulumi:providers:random"},
        {"type": "other"},
    ]
    assert sorted(plugin_server.plugins_for_destroy({"deployment": {"resources": resources}})) == names


def test_only_those_asked_for_are_served(tmp_path: Path) -> None:
    place = home(tmp_path, docker=launcher("docker"), random=launcher("random"))
    with plugin_server.serve_plugins(place, plugin_server.HARMLESS) as environ:
        assert environ[plugin_server.VARIABLE].startswith("random:")
        assert "docker" not in environ[plugin_server.VARIABLE]


def test_official_plugins_are_the_clis_to_start(tmp_path: Path) -> None:
    place = home(tmp_path, docker=OFFICIAL, random=launcher("random"))
    with plugin_server.serve_plugins(place, tuple(plugin_server.PLUGINS)) as environ:
        assert environ[plugin_server.VARIABLE].startswith("random:")
        assert "docker" not in environ[plugin_server.VARIABLE]


def test_a_machine_without_plugins_is_told_so_by_the_cli(tmp_path: Path) -> None:
    with plugin_server.serve_plugins(tmp_path, tuple(plugin_server.PLUGINS)) as environ:
        assert environ == {}


def test_whoever_debugs_a_provider_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(plugin_server.VARIABLE, "docker:1")
    with plugin_server.serve_plugins(
        home(tmp_path, random=launcher("random")), plugin_server.HARMLESS
    ) as environ:
        assert environ == {}
    assert os.environ[plugin_server.VARIABLE] == "docker:1"


def test_a_slots_cli_keeps_no_log_of_what_it_says_to_plugins(tmp_path: Path) -> None:
    logs = tmp_path / "0" / "home" / "logs"
    logs.mkdir(parents=True)
    (logs / "organization+portals+acme-1.log").write_text("from before")
    with workspaces.claim(tmp_path) as workspace:
        assert (workspace.home / "logs").is_file()
    with workspaces.claim(tmp_path) as workspace:
        assert (workspace.home / "logs").is_file()
