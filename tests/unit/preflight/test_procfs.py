"""What /proc/net says: texts of real hosts."""

from ipaddress import IPv4Network
from typing import Any

from preflight import procfs
from preflight.facts import Host
from preflight.procfs import ListenAddress, Route

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
# As a Linux 6.1 wrote them.
TCP = HEAD + (
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 31522 1 0 100 0 0 10 0\n"
    "   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20514 1 0 100 0 0 10 0\n"
    "   2: 0203D20A:0016 0103D20A:D2C4 01 00000000:00000000 02:000A5A8A 00000000     0        0 29443 4 0 20 4 31 10 -1\n"
)
TCP6 = HEAD + (
    "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1 0\n"
    "   1: 0000000000000000FFFF00000100007F:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1 0\n"
    "   2: 00000000000000000000000001000000:1F92 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1 0\n"
)
ROUTE = (
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    "e0\t00000000\t0103D20A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    "e0\t0003D20A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    "tun0\t0000000A\t0103D20A\t0003\t0\t0\t0\t000000FF\t0\t0\t0\n"
)
TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
        +-- 10.210.3.0/24 2 0 2
              |-- 10.210.3.0
                 /24 link UNICAST
              |-- 10.210.3.2
                 /32 host LOCAL
           |-- 10.210.3.255
              /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
"""
LO, E0 = IPv4Network("127.0.0.0/8"), IPv4Network("10.210.3.2/32")


def listen_at(text: str) -> ListenAddress:
    address, _, port = text.partition(":")
    return ListenAddress(address=address, port=int(port))


def test_who_listens_as_ipv4_sees_it() -> None:
    assert procfs.listening(TCP, TCP6) == {
        listen_at("127.0.0.1:8080"), listen_at("0.0.0.0:22"), listen_at("0.0.0.0:80"), listen_at("127.0.0.1:8081"),
    }  # fmt: skip


def test_routes_and_addresses() -> None:
    assert procfs.routes(ROUTE) == [
        Route(network=IPv4Network("10.210.3.0/24"), interface="e0", linked=True),
        Route(network=IPv4Network("10.0.0.0/8"), interface="tun0", linked=False),
    ]
    assert procfs.host_networks(TRIE) == sorted([E0, LO, IPv4Network("127.0.0.1/32")])


def host(*listening: str, **more: Any) -> Host:
    facts: dict[str, Any] = {"routes": (), "own": (LO, E0), "memory": 4096, "disk": 9999, **more}
    return Host(listening=frozenset(map(listen_at, listening)), **facts)
