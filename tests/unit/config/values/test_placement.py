"""Ports and engines."""

from collections.abc import Callable

import pytest

from config.values import placement
from tests.unit.config.values.accepts import accepts, cases


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


TAKEN = [
    (placement.listen_address, "0.0.0.0", True),
    (placement.listen_address, "192.0.2.7", True),
    (placement.listen_address, "0.0.0.1", False),
    (placement.listen_address, "1.2.3", False),
    (placement.listen_address, "127.1", False),
    (placement.listen_address, "0x7f.0.0.1", False),
    (placement.listen_address, "١٢٧.0.0.1", False),
    (placement.listen_address, "127.0.0.1\n", False),
    (placement.docker_host, "", True),
    (placement.docker_host, "unix:///var/run/docker.sock", True),
    (placement.docker_host, "tcp://docker1:2376", True),
    (placement.docker_host, "ssh://docker1", True),
    (placement.docker_host, "ssh://ops@docker1:22", True),
    (placement.docker_host, "ssh://-x@docker1", False),
    (placement.docker_host, "tcp://docker1:0", False),
    (placement.docker_host, "tcp://docker1:2376/x", False),
    (placement.docker_host, "tcp://docker1:2376?x=y", False),
    (placement.docker_host, "npipe:////./pipe/docker_engine", False),
    (placement.docker_host, "unix:///var/run/docker.sock\n", False),
    (placement.docker_host, "TCP://docker1:2376", False),
    (placement.subnet, "10.77.0.0/24", True),
    (placement.subnet, "10.77.0.0/024", False),
    (placement.subnet, "10.77.0.0/99", False),
    (placement.subnet, "10.077.0.0/24", False),
    (placement.subnet, "10.77.0.0 /24", False),
    (placement.subnet, "10.77.0.0/٢٤", False),
    (placement.pool, "10.0.0.0/8", True),
    (placement.pool, "192.168.0.0/24", True),
    (placement.pool, "0.0.0.0/0", False),
    (placement.pool, "203.0.113.0/16", False),
]


@cases(TAKEN)
def test_a_check_takes_what_is_good_and_only_that(
    check: Callable[[str], object], text: str, good: bool
) -> None:
    assert accepts(check, text) == good
