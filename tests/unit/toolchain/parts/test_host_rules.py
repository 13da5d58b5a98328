"""The host's packet rules as text; tests/security/test_host.py sends packets against them."""

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from config.tenant.fleet import Fleet
from config.values.networks import EGRESS, INGRESS, subnet
from toolchain.errors import ToolchainError
from toolchain.parts.host_rules import (
    FORWARD,
    INPUT,
    HostRules,
    address_match,
    pool,
    resolvers,
    rules,
    warning,
)
from toolchain.paths import Paths

ROOT = Path(__file__).parents[4]
POOL = IPv4Network("10.77.0.0/16")


@pytest.mark.parametrize("whole", ["10.77.0.0/16", "10.64.0.0/12", "192.168.7.0/24"])
@pytest.mark.parametrize("name", [INGRESS, EGRESS])
def test_one_match_is_of_that_network_of_every_tenant_and_of_no_other(whole: str, name: str) -> None:
    network, _, mask = address_match(IPv4Network(whole), name).partition("/")

    def matches(address: IPv4Address) -> bool:
        return int(address) & int(IPv4Address(mask)) == int(IPv4Address(network))

    for tenant in list(IPv4Network(whole).subnets(new_prefix=24))[:300]:
        mine = set(subnet(tenant, name))
        assert {each for each in tenant if matches(each)} == mine
    assert not matches(IPv4Network(whole).network_address - 1)
    assert not matches(IPv4Network(whole).broadcast_address + 1)


def test_the_rules_of_both_chains() -> None:
    ingress, egress = "10.77.0.224/255.255.0.240", "10.77.0.240/255.255.0.240"
    assert rules(POOL, ["10.255.255.53"]) == {
        FORWARD: [
            "-A PORTALS-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
            f"-A PORTALS-FORWARD -s {ingress} -j DROP",
            f"-A PORTALS-FORWARD -s {egress} -d 10.255.255.53/32 -p udp -m udp --dport 53 -j RETURN",
            f"-A PORTALS-FORWARD -s {egress} -d 10.255.255.53/32 -p tcp -m tcp --dport 53 -j RETURN",
            f"-A PORTALS-FORWARD -s {egress} -d 169.254.0.0/16 -j DROP",
            f"-A PORTALS-FORWARD -s {egress} -d 168.63.129.16/32 -j DROP",
            f"-A PORTALS-FORWARD -s {egress} -d 100.100.100.200/32 -j DROP",
            f"-A PORTALS-FORWARD -s {egress} -d 10.77.0.0/16 -j DROP",
        ],
        INPUT: [
            "-A PORTALS-INPUT -i lo -j RETURN",
            "-A PORTALS-INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
            f"-A PORTALS-INPUT -s {egress} -d 10.255.255.53/32 -p udp -m udp --dport 53 -j RETURN",
            f"-A PORTALS-INPUT -s {egress} -d 10.255.255.53/32 -p tcp -m tcp --dport 53 -j RETURN",
            "-A PORTALS-INPUT -s 10.77.0.0/16 -j DROP",
        ],
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("# nameserver 192.0.2.1\nsearch example\nnameserver 192.0.2.53\n", ("192.0.2.53",)),
        # The engine asks one on the loopback address itself.
        ("nameserver 127.0.0.53\noptions edns0", ()),
        # Portals have no IPv6; and a text is no rule.
        (
            "nameserver fe80::1%eth0\nnameserver -j\nnameserver\nnameserver 192.0.2.5 -j ACCEPT",
            ("192.0.2.5",),
        ),
        ("nameserver 169.254.169.254\nnameserver 169.254.169.254", ("169.254.169.254",)),
    ],
)
def test_the_servers_that_containers_ask_for_names(text: str, expected: tuple[str, ...]) -> None:
    assert resolvers(text) == expected


def test_the_pool_is_the_fleets(tmp_path: Path) -> None:
    assert pool() == Fleet.load(ROOT / "config" / "fleet.yml").pool
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "fleet.yml").write_text("# nothing\n")
    with pytest.raises(ToolchainError, match="pool: is missing, expected a network"):
        pool(tmp_path)


@pytest.mark.parametrize(
    "engine", ["ssh://ops@docker1.example.com", "tcp://192.0.2.7:2376", "unix:///run/other.sock"]
)
def test_another_machines_rules_cannot_be_seen_and_are_not_touched(engine: str, tmp_path: Path) -> None:
    host_rules = HostRules({"DOCKER_HOST": engine}, Paths(tmp_path, tmp_path))
    assert host_rules.ensure() == "unseen"
    with pytest.raises(ToolchainError, match="on the engine's own machine, as root"):
        host_rules.hold()
    assert list(tmp_path.iterdir()) == []


def test_what_is_lacking_is_said_with_the_remedy() -> None:
    assert warning("held") == ""
    for state in ("missing", "unseen"):
        assert warning(state).endswith("as root on the engine's machine: ./portal engine rules")
