"""What is asked of an engine for a tenant's whole file."""

from ipaddress import IPv4Network
from typing import Any

import pytest

from preflight import facts
from preflight import tenant as looking
from preflight.facts import Facts, Host, Network
from preflight.procfs import Door
from preflight.wanted import Wanted

LO, E0 = IPv4Network("127.0.0.0/8"), IPv4Network("10.210.3.2/32")
HOST = Host(listening=frozenset(), routes=(), own=(LO, E0), memory=4096, disk=9999)


def door(text: str) -> Door:
    address, _, port = text.partition(":")
    return Door(address=address, port=int(port))


def host(*listening: str, **more: Any) -> Host:
    told: dict[str, Any] = {"routes": (), "own": (LO, E0), "memory": 4096, "disk": 9999, **more}
    return Host(listening=frozenset(map(door, listening)), **told)


def network(name: str, subnet: str, tenant: str = "") -> Network:
    return Network(name=name, tenant=tenant, subnets=(IPv4Network(subnet),), interface=f"br-{name}")


class Answers:
    """An engine that makes a look's container as a test says."""

    def __init__(self, *fails: str) -> None:
        self.fails = list(fails)
        self.networks: list[str] = []

    def of_host(self, client: object, image: str, root: str, network: str = "host") -> Host:
        self.networks.append(network)
        if self.fails:
            raise RuntimeError(self.fails.pop(0))
        return HOST


@pytest.mark.parametrize(
    ("fails", "networks", "asked", "refused"),
    [
        ((), ["host"], True, ""),
        # An engine that maps users: memory and drive are known all the same.
        (("cannot share the host's network namespace",), ["host", "none"], True, ""),
        (("error setting rlimit",) * 2, ["host", "none"], False, "error setting rlimit"),
    ],
)
def test_where_the_host_s_network_is_not_lent_the_rest_is_asked(
    fails: tuple[str, ...],
    networks: list[str],
    asked: bool,
    refused: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Answers(*fails)
    monkeypatch.setattr(facts, "of_engine", lambda client, images: Facts())
    monkeypatch.setattr(facts, "of_host", engine.of_host)
    found = looking.look(None, Wanted(room=1), "portals/ops:1", "/srv/portals")
    assert engine.networks == networks
    assert (found.host is not None, found.refused) == (asked, refused)
    assert bool(found.unasked) is (len(fails) == 1)
