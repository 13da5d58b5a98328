"""What stands in the way of what is wanted: by the texts of /proc and the answers of an engine, without either."""

from ipaddress import IPv4Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preflight import facts, procfs
from preflight import tenant as looking
from preflight.facts import FILES, PAGE, Container, Facts, Host, Network, Volume, pages
from preflight.obstacles import asks_host, notes, obstacles
from preflight.procfs import Door, Route
from preflight.wanted import Published, Subnet, Wanted

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
# As a Linux 6.1 wrote them.
TCP = HEAD + (
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 31522 1 0 100 0 0 10 0\n"
    "   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20514 1 0 100 0 0 10 0\n"
    "   2: 0203C80A:0016 0103C80A:D2C4 01 00000000:00000000 02:000A5A8A 00000000     0        0 29443 4 0 20 4 31 10 -1\n"
)
TCP6 = HEAD + (
    "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1 0\n"
    "   1: 0000000000000000FFFF00000100007F:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1 0\n"
    "   2: 00000000000000000000000001000000:1F92 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1 0\n"
)
ROUTE = (
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    "e0\t00000000\t0103C80A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    "e0\t0003C80A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    "tun0\t0000000A\t0103C80A\t0003\t0\t0\t0\t000000FF\t0\t0\t0\n"
)
TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
        +-- 10.200.3.0/24 2 0 2
              |-- 10.200.3.0
                 /24 link UNICAST
              |-- 10.200.3.2
                 /32 host LOCAL
           |-- 10.200.3.255
              /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
"""
LO, E0 = IPv4Network("127.0.0.0/8"), IPv4Network("10.200.3.2/32")
HOST = Host(listening=frozenset(), routes=(), own=(LO, E0), memory=4096, disk=9999)


def door(text: str) -> Door:
    address, _, port = text.partition(":")
    return Door(address=address, port=int(port))


def test_who_listens_as_ipv4_sees_it() -> None:
    assert procfs.listening(TCP, TCP6) == {
        door("127.0.0.1:8080"), door("0.0.0.0:22"), door("0.0.0.0:80"), door("127.0.0.1:8081"),
    }  # fmt: skip


def test_routes_and_addresses() -> None:
    assert procfs.routes(ROUTE) == [
        Route(network=IPv4Network("10.200.3.0/24"), interface="e0", linked=True),
        Route(network=IPv4Network("10.0.0.0/8"), interface="tun0", linked=False),
    ]
    assert procfs.own(TRIE) == sorted([E0, LO, IPv4Network("127.0.0.1/32")])


@given(st.text(), st.text(), st.text(alphabet="0123456789ABCDEF \t\n:", max_size=60))
def test_what_a_helper_says_is_cut_by_its_pages_alone(one: str, two: str, three: str) -> None:
    told = {path: text for path, text in zip(FILES, (one, two, three), strict=False) if PAGE not in text}
    said = "".join(f"{PAGE}{path}\n{text}" for path, text in told.items())
    assert pages(said) == told


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
    assert door(one).meets(door(other)) is meet


OWN = Container(name="oak-load-balancer", tenant="oak", doors=(door("127.0.0.1:8080"),))
MOVED = Wanted(
    doors=(Published(container="oak-load-balancer", door=door("127.0.0.1:8081")),),
    leaving_containers=frozenset({"oak-load-balancer"}),
)
NET = Wanted(
    subnets=(Subnet(network="oak-private", subnet=IPv4Network("10.77.2.0/25")),),
    leaving_networks=frozenset({"oak-private"}),
)


def host(*listening: str, **more: Any) -> Host:
    told: dict[str, Any] = {"routes": (), "own": (LO, E0), "memory": 4096, "disk": 9999, **more}
    return Host(listening=frozenset(map(door, listening)), **told)


def network(name: str, subnet: str, tenant: str = "") -> Network:
    return Network(name=name, tenant=tenant, subnets=(IPv4Network(subnet),), interface=f"br-{name}")


LINKED = Route(network=IPv4Network("10.77.2.0/24"), interface="eth1", linked=True)
IN_THE_WAY: dict[str, tuple[Wanted, Facts, str]] = {
    "a program listens there": (MOVED, Facts(containers=(OWN,), host=host("127.0.0.1:8081")), "a program of the engine's host, which listens at 127.0.0.1:8081"),
    "a program listens at every address": (MOVED, Facts(host=host("0.0.0.0:8081")), "listens at 0.0.0.0:8081"),
    "another portal publishes it": (MOVED, Facts(containers=(Container(name="elm-lb", tenant="elm", doors=(door("0.0.0.0:8081"),)),)), "taken by container elm-lb of portal elm"),
    "the address is another machine's": (
        Wanted(doors=(Published(container="x", door=door("192.0.2.7:8081")),)), Facts(host=HOST), "not an address of the engine's host"),
    "a low port without root": (
        Wanted(doors=(Published(container="x", door=door("127.0.0.1:80")),)), Facts(host=HOST, rootless=True), "not root's"),
    "another network has it": (NET, Facts(networks=(network("foreign", "10.77.0.0/16"),)), "overlaps 10.77.0.0/16 of the engine's network foreign"),
    "another portal's network has it": (NET, Facts(networks=(network("elm-private", "10.77.2.64/26", "elm"),)), "elm-private of portal elm"),
    "the host is on it": (NET, Facts(host=host(routes=(LINKED,))), "which the engine's host reaches by eth1"),
    "a part of it is elsewhere": (
        NET, Facts(host=host(routes=(Route(network=IPv4Network("10.77.2.8/29"), interface="tun0", linked=False),))), "reaches by tun0"),
    "a container has the name": (Wanted(new_containers=frozenset({"oak-lms"})), Facts(containers=(Container(name="oak-lms"),)), "a container oak-lms exists already and belongs to no portal"),
    "a network has the name": (Wanted(new_networks=frozenset({"oak-private"})), Facts(networks=(network("oak-private", "10.9.0.0/24", "oak"),)), "portal oak, but not this state"),
    "a volume keeps its files elsewhere": (
        Wanted(volumes={"oak-mysql": {"device": "/srv/portals/oak/mysql"}}), Facts(volumes=(Volume(name="oak-mysql"),)), "has its files in the engine's own disk, not in /srv/portals/oak/mysql"),
    "no image": (Wanted(images=frozenset({"portals/lms:1"})), Facts(), "does not have the image portals/lms:1"),
    "an image for another machine": (
        Wanted(images=frozenset({"lms:1"})), Facts(images={"lms:1": "arm64"}, machine="amd64"), "is for arm64, and the engine's host is amd64"),
    "less memory than an engine takes": (Wanted(limits={"oak-lms": 5}), Facts(), "refuses less than 6"),
    "no memory left": (Wanted(room=5000), Facts(host=HOST), "4096 MiB of memory free, but the new containers need 5000"),
    "no drive": (Wanted(room=1), Facts(refused="invalid mount config: bind source path does not exist: /d/.portals-drive"), "the drive is not mounted"),
    "limits that the engine refuses": (Wanted(room=1), Facts(refused="error setting rlimit type 7"), "with a portal's limits: error setting rlimit type 7"),
    "no space left": (Wanted(disk=10000), Facts(host=HOST), "9999 MiB free"),
}  # fmt: skip


@pytest.mark.parametrize("case", IN_THE_WAY)
def test_is_in_the_way(case: str) -> None:
    asked, facts, why = IN_THE_WAY[case]
    (found,) = obstacles(asked, facts, "oak")
    assert why in found.what
    assert found.remedy


IN_NOBODYS_WAY: dict[str, tuple[Wanted, Facts]] = {
    "its own container gives the door up": (
        Wanted(doors=(Published(container=OWN.name, door=door("0.0.0.0:8080")),), leaving_containers=frozenset({OWN.name})),
        # Docker's proxy listens for it still.
        Facts(containers=(OWN,), host=host("127.0.0.1:8080")),
    ),
    "another address": (MOVED, Facts(host=host("10.200.3.2:8081"))),
    "its own network is made anew": (NET, Facts(networks=(network("oak-private", "10.77.2.0/25", "oak"),))),
    "the route of an engine's own network": (
        NET,
        Facts(
            networks=(network("oak-private", "10.77.2.0/25", "oak"),),
            host=host(routes=(Route(network=IPv4Network("10.77.2.0/25"), interface="br-oak-private", linked=True),)),
        ),
    ),
    "a name that the change itself frees": (
        Wanted(new_containers=frozenset({"oak-lms"}), leaving_containers=frozenset({"oak-lms"})),
        Facts(containers=(Container(name="oak-lms", tenant="oak"),)),
    ),
    "a volume of the same directory": (
        Wanted(volumes={"oak-mysql": {"device": "/d"}}), Facts(volumes=(Volume(name="oak-mysql", options={"device": "/d"}),))),
    "a host that could not be read": (MOVED, Facts(host=Host(listening=frozenset(), routes=(), own=(), memory=0))),
    "an image of nobody knows which machine": (
        Wanted(images=frozenset({"a"})), Facts(images={"a": "unknown"}, machine="amd64")),
}  # fmt: skip


@pytest.mark.parametrize("case", IN_NOBODYS_WAY)
def test_is_in_nobodys_way(case: str) -> None:
    assert obstacles(*IN_NOBODYS_WAY[case], "oak") == ()


def test_missing_images_are_no_obstacle_where_they_are_brought_first() -> None:
    asked = Wanted(images=frozenset({"portals/lms:1"}))
    assert obstacles(asked, Facts(), "oak", images_come=True) == ()
    assert "1 images yet" in notes(asked, Facts())[0]


def test_what_is_worth_knowing() -> None:
    wide = Route(network=IPv4Network("10.0.0.0/8"), interface="tun0", linked=False)
    (told,) = notes(NET, Facts(host=host(routes=(wide,))))
    assert told.startswith(
        "the host reaches 10.0.0.0/8 by tun0, and 10.77.2.0/25 of oak-private is part of it"
    )
    (told,) = notes(Wanted(limits={"oak-lms": 9000}), Facts(memory=8000))
    assert "has no effect" in told


def test_the_host_is_asked_only_for_what_the_portal_does_not_have() -> None:
    same = Wanted(
        doors=(Published(container=OWN.name, door=door("127.0.0.1:8080")),),
        leaving_containers=frozenset({OWN.name}),
    )
    assert not asks_host(same, Facts(containers=(OWN,)))
    # One that has stopped holds nothing.
    assert asks_host(same, Facts(containers=(Container(name=OWN.name, tenant="oak"),)))
    assert asks_host(MOVED, Facts(containers=(OWN,)))
    assert not asks_host(NET, Facts(networks=(network("oak-private", "10.77.2.0/25", "oak"),)))
    assert asks_host(NET, Facts())
    assert not asks_host(Wanted(images=frozenset({"a"})), Facts())


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
