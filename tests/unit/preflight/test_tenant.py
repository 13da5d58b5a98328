"""What is asked of an engine for a tenant's whole file."""

from ipaddress import IPv4Network
from typing import Any

import pytest

from config.tenant.tenant import Tenant
from preflight import facts
from preflight import tenant as looking
from preflight.facts import Facts, Host, Network
from preflight.procfs import ListenAddress
from preflight.requirements import Requirements
from preflight.tenant import Existing
from preflight.tenant import requirements as of_file
from tests.programs import TENANTS

LO, E0 = IPv4Network("127.0.0.0/8"), IPv4Network("10.210.3.2/32")
HOST = Host(listening=frozenset(), routes=(), own=(LO, E0), memory=4096, disk=9999)


def listen_at(text: str) -> ListenAddress:
    address, _, port = text.partition(":")
    return ListenAddress(address=address, port=int(port))


def host(*listening: str, **more: Any) -> Host:
    facts: dict[str, Any] = {"routes": (), "own": (LO, E0), "memory": 4096, "disk": 9999, **more}
    return Host(listening=frozenset(map(listen_at, listening)), **facts)


def network(name: str, subnet: str, tenant: str = "") -> Network:
    return Network(name=name, tenant=tenant, subnets=(IPv4Network(subnet),), interface=f"br-{name}")


class Answers:
    """An engine that makes a look's container as a test says."""

    def __init__(self, *fails: str) -> None:
        self.fails = list(fails)
        self.networks: list[str] = []

    def of_host(self, client: object, image: str, root: str, network: str = "host", **how: object) -> Host:
        self.networks.append(network)
        if self.fails:
            raise RuntimeError(self.fails.pop(0))
        return HOST


@pytest.mark.parametrize(
    ("fails", "networks", "readable", "refused"),
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
    readable: bool,
    refused: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Answers(*fails)
    monkeypatch.setattr(facts, "of_engine", lambda client, images: Facts())
    monkeypatch.setattr(facts, "of_host", engine.of_host)
    facts_now = looking.gather_facts(None, Requirements(room=1), "portals/ops:1", "/srv/portals")
    assert engine.networks == networks
    assert (facts_now.host is not None, facts_now.refused) == (readable, refused)
    assert bool(facts_now.unasked) is (len(fails) == 1)


ACME = Tenant.load("acme", TENANTS)


def resources(port: int, subnet: str, image: str) -> list[dict[str, Any]]:
    return [
        {"type": "docker:index/container:Container", "outputs": {
            "name": "acme-load-balancer", "image": image, "ports": [{"ip": ACME.listen.address, "external": port}]}},
        {"type": "docker:index/network:Network", "outputs": {"name": "acme-data", "ipamConfigs": [{"subnet": subnet}]}},
        {"type": "pulumi:pulumi:Stack"},
    ]  # fmt: skip


def test_by_the_file_alone_only_what_the_state_does_not_have_is_wanted() -> None:
    place, port = ACME.placement.subnet, ACME.listen.port
    inside = str(next(place.subnets(new_prefix=26)))
    references = {"lms": "portals/lms:1", "nginx": "nginx@sha256:1"}
    has = Existing.read(resources(port, inside, "portals/lms:1"))
    assert of_file(ACME, references, has).empty
    first = of_file(ACME, references, Existing())
    assert [str(each.listen) for each in first.published] == [f"{ACME.listen.address}:{port}"]
    assert [each.subnet for each in first.subnets] == [place]
    assert first.images == {"portals/lms:1"}
    assert {"acme-lms", "acme-storage-init"} <= first.new_containers
    assert {"acme-front", "acme-data"} <= first.new_networks
    assert first.volumes["acme-mysql"] == {"type": "none", "o": "bind", "device": "/srv/portals/acme/mysql"}
    assert of_file(ACME, references, Existing.read(resources(port + 1, inside, "portals/lms:1"))).published
    assert of_file(
        ACME, references, Existing.read(resources(port, "10.77.200.0/26", "portals/lms:1"))
    ).subnets
    assert of_file(ACME, references, Existing.read(resources(port, inside, "portals/lms:0"))).images
