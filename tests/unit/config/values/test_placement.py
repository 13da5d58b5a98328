"""Ports and engines."""

import pytest

from config.values import placement


@pytest.mark.parametrize("port", [80, 443, 1024, 65535])
def test_ports(port: int) -> None:
    assert placement.listen_port(port) == port


@pytest.mark.parametrize("port", [-1, 0, 1, 79, 81, 444, 1023, 65536, 10**20])
def test_no_ports(port: int) -> None:
    with pytest.raises(ValueError, match="is not a port for a portal"):
        placement.listen_port(port)


@pytest.mark.parametrize(
    ("docker_host", "machine"),
    [
        ("", ""),
        ("unix:///var/run/docker.sock", ""),
        ("tcp://localhost:2375", ""),
        ("tcp://127.0.0.1:2375", ""),
        ("ssh://ops@localhost", ""),
        ("tcp://docker1:2376", "docker1"),
        ("ssh://ops@docker1", "docker1"),
        ("ssh://docker1:2222", "docker1"),
    ],
)
def test_the_machine_behind_an_engine(docker_host: str, machine: str) -> None:
    assert placement.machine(docker_host) == machine
