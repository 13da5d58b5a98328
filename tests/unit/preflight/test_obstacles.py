"""What stands in the way of what is wanted: by the texts of /proc and the answers of an engine, without either."""

from ipaddress import IPv4Network
from typing import Any

import pytest

from preflight.facts import Container, Facts, Host, Network, Volume
from preflight.obstacles import asks_host, notes, obstacles, to_bind
from preflight.procfs import ListenAddress, Route
from preflight.requirements import PublishedPort, Requirements, Subnet

LO, E0 = IPv4Network("127.0.0.0/8"), IPv4Network("10.210.3.2/32")
HOST = Host(listening=frozenset(), routes=(), own=(LO, E0), memory=4096, disk=9999)


def listen_at(text: str) -> ListenAddress:
    address, _, port = text.partition(":")
    return ListenAddress(address=address, port=int(port))


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("127.0.0.1:80", "127.0.0.1:80", True),
        ("127.0.0.1:80", "127.0.0.2:80", False),
        ("0.0.0.0:80", "127.0.0.2:80", True),
        ("127.0.0.1:80", "0.0.0.0:80", True),
        ("0.0.0.0:80", "0.0.0.0:81", False),
    ],
)
def test_two_doors(one: str, other: str, meet: bool) -> None:
    assert listen_at(one).conflicts_with(listen_at(other)) is meet


OWN = Container(name="oak-load-balancer", tenant="oak", published=(listen_at("127.0.0.1:8080"),))
MOVED = Requirements(
    published=(PublishedPort(container="oak-load-balancer", listen=listen_at("127.0.0.1:8081")),),
    leaving_containers=frozenset({"oak-load-balancer"}),
)
NET = Requirements(
    subnets=(Subnet(network="oak-private", subnet=IPv4Network("10.77.2.0/25")),),
    leaving_networks=frozenset({"oak-private"}),
)


def host(*listening: str, **more: Any) -> Host:
    facts: dict[str, Any] = {"routes": (), "own": (LO, E0), "memory": 4096, "disk": 9999, **more}
    return Host(listening=frozenset(map(listen_at, listening)), **facts)


def network(name: str, subnet: str, tenant: str = "") -> Network:
    return Network(name=name, tenant=tenant, subnets=(IPv4Network(subnet),), interface=f"br-{name}")


LINKED = Route(network=IPv4Network("10.77.2.0/24"), interface="eth1", linked=True)
IN_THE_WAY: dict[str, tuple[Requirements, Facts, str]] = {
    "a program listens there": (MOVED, Facts(containers=(OWN,), host=host("127.0.0.1:8081")), "a program of the engine's host, which listens at 127.0.0.1:8081"),
    "a program listens at every address": (MOVED, Facts(host=host("0.0.0.0:8081")), "listens at 0.0.0.0:8081"),
    "a program holds it and does not listen": (
        MOVED, Facts(containers=(OWN,), host=host(unbindable=frozenset({listen_at("127.0.0.1:8081")}))), "which holds it without listening there"),
    "another portal publishes it": (MOVED, Facts(containers=(Container(name="elm-lb", tenant="elm", published=(listen_at("0.0.0.0:8081"),)),)), "taken by container elm-lb of portal elm"),
    "the address is another machine's": (
        Requirements(published=(PublishedPort(container="x", listen=listen_at("192.0.2.7:8081")),)), Facts(host=HOST), "not an address of the engine's host"),
    "a low port without root": (
        Requirements(published=(PublishedPort(container="x", listen=listen_at("127.0.0.1:80")),)), Facts(host=HOST, rootless=True), "not root's"),
    "another network has it": (NET, Facts(networks=(network("foreign", "10.77.0.0/16"),)), "overlaps 10.77.0.0/16 of the engine's network foreign"),
    "another portal's network has it": (NET, Facts(networks=(network("elm-private", "10.77.2.64/26", "elm"),)), "elm-private of portal elm"),
    "the host is on it": (NET, Facts(host=host(routes=(LINKED,))), "which the engine's host reaches by eth1"),
    "the host's own address is in it": (NET, Facts(host=host(own=(LO, E0, IPv4Network("10.77.2.9/32")))), "has 10.77.2.9 in it, which is an address of the engine's host"),
    "a part of it is elsewhere": (
        NET, Facts(host=host(routes=(Route(network=IPv4Network("10.77.2.8/29"), interface="tun0", linked=False),))), "reaches by tun0"),
    "a container has the name": (Requirements(new_containers=frozenset({"oak-lms"})), Facts(containers=(Container(name="oak-lms"),)), "a container oak-lms exists already and belongs to no portal"),
    "a network has the name": (Requirements(new_networks=frozenset({"oak-private"})), Facts(networks=(network("oak-private", "10.9.0.0/24", "oak"),)), "portal oak, but not this state"),
    "a volume keeps its files elsewhere": (
        Requirements(volumes={"oak-mysql": {"device": "/srv/portals/oak/mysql"}}), Facts(volumes=(Volume(name="oak-mysql"),)), "has its files in the engine's own disk, not in /srv/portals/oak/mysql"),
    "no image": (Requirements(images=frozenset({"portals/lms:1"})), Facts(), "does not have the image portals/lms:1"),
    "an image for another machine": (
        Requirements(images=frozenset({"lms:1"})), Facts(images={"lms:1": "arm64"}, machine="amd64"), "is for arm64, and the engine's host is amd64"),
    "less memory than an engine takes": (Requirements(limits={"oak-lms": 5}), Facts(), "refuses less than 6"),
    "no memory left": (Requirements(room=5000), Facts(host=HOST), "4096 MiB of memory free, but the new containers need 5000"),
    "no drive": (Requirements(room=1), Facts(refused="invalid mount config: bind source path does not exist: /d/.portals-drive"), "the drive is not mounted"),
    "limits that the engine refuses": (Requirements(room=1), Facts(refused="error setting rlimit type 7"), "with a portal's limits: error setting rlimit type 7"),
    "no space left": (Requirements(disk=10000), Facts(host=HOST), "9999 MiB free"),
}  # fmt: skip


@pytest.mark.parametrize("case", IN_THE_WAY)
def test_is_in_the_way(case: str) -> None:
    needs, facts, why = IN_THE_WAY[case]
    (obstacle,) = obstacles(needs, facts, "oak")
    assert why in obstacle.what
    assert obstacle.remedy


IN_NOBODYS_WAY: dict[str, tuple[Requirements, Facts]] = {
    "its own container gives its port up": (
        Requirements(published=(PublishedPort(container=OWN.name, listen=listen_at("0.0.0.0:8080")),), leaving_containers=frozenset({OWN.name})),
        # Docker's proxy listens for it still.
        Facts(containers=(OWN,), host=host("127.0.0.1:8080")),
    ),
    "another address": (MOVED, Facts(host=host("10.210.3.2:8081"))),
    "its own network is made anew": (NET, Facts(networks=(network("oak-private", "10.77.2.0/25", "oak"),))),
    "the route of an engine's own network": (
        NET,
        Facts(
            networks=(network("oak-private", "10.77.2.0/25", "oak"),),
            host=host(routes=(Route(network=IPv4Network("10.77.2.0/25"), interface="br-oak-private", linked=True),)),
        ),
    ),
    "the host's addresses on networks that are known": (
        NET,
        Facts(
            networks=(network("oak-private", "10.77.2.0/25", "oak"), network("elm", "10.77.3.0/24")),
            host=host(own=(LO, E0, IPv4Network("10.77.2.1/32"), IPv4Network("10.77.3.1/32"))),
        ),
    ),
    "a name that the change itself frees": (
        Requirements(new_containers=frozenset({"oak-lms"}), leaving_containers=frozenset({"oak-lms"})),
        Facts(containers=(Container(name="oak-lms", tenant="oak"),)),
    ),
    "a volume of the same directory": (
        Requirements(volumes={"oak-mysql": {"device": "/d"}}), Facts(volumes=(Volume(name="oak-mysql", options={"device": "/d"}),))),
    "a host that could not be read": (MOVED, Facts(host=Host(listening=frozenset(), routes=(), own=(), memory=0))),
    "an image of nobody knows which machine": (
        Requirements(images=frozenset({"a"})), Facts(images={"a": "unknown"}, machine="amd64")),
}  # fmt: skip


@pytest.mark.parametrize("case", IN_NOBODYS_WAY)
def test_is_in_nobodys_way(case: str) -> None:
    assert obstacles(*IN_NOBODYS_WAY[case], "oak") == ()


def test_what_is_tried_is_not_what_the_portal_holds() -> None:
    assert to_bind(MOVED, Facts(containers=(OWN,))) == [listen_at("127.0.0.1:8081")]
    wider = Requirements(
        published=(PublishedPort(container=OWN.name, listen=listen_at("0.0.0.0:8080")),),
        leaving_containers=frozenset({OWN.name}),
    )
    assert to_bind(wider, Facts(containers=(OWN,))) == []


def test_no_free_subnet_has_an_address_of_the_host() -> None:
    own = IPv4Network("10.77.2.9/32")
    assert own in Facts(host=host(own=(LO, own))).taken_subnets


def test_missing_images_are_no_obstacle_where_they_are_brought_first() -> None:
    needs = Requirements(images=frozenset({"portals/lms:1"}))
    assert obstacles(needs, Facts(), "oak", images_come=True) == ()
    assert "1 images yet" in notes(needs, Facts())[0]


def test_what_is_worth_knowing() -> None:
    wide = Route(network=IPv4Network("10.0.0.0/8"), interface="tun0", linked=False)
    (note,) = notes(NET, Facts(host=host(routes=(wide,))))
    assert note.startswith(
        "the host reaches 10.0.0.0/8 by tun0, and 10.77.2.0/25 of oak-private is part of it"
    )
    (note,) = notes(Requirements(limits={"oak-lms": 9000}), Facts(memory=8000))
    assert "has no effect" in note


def test_the_host_is_asked_only_for_what_the_portal_does_not_have() -> None:
    same = Requirements(
        published=(PublishedPort(container=OWN.name, listen=listen_at("127.0.0.1:8080")),),
        leaving_containers=frozenset({OWN.name}),
    )
    assert not asks_host(same, Facts(containers=(OWN,)))
    # One that has stopped holds nothing.
    assert asks_host(same, Facts(containers=(Container(name=OWN.name, tenant="oak"),)))
    assert asks_host(MOVED, Facts(containers=(OWN,)))
    assert not asks_host(NET, Facts(networks=(network("oak-private", "10.77.2.0/25", "oak"),)))
    assert asks_host(NET, Facts())
    assert not asks_host(Requirements(images=frozenset({"a"})), Facts())
