"""What a container that was broken into finds of its host: packets of the real engine, on networks as a portal has them.

The host's own ports, the cloud's metadata, a machine beyond it. Networks inside are asked by tests/e2e/test_isolation.py.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from ipaddress import IPv4Network
from typing import Any

import docker
import docker.errors
import pytest

from config.values.networks import EGRESS, INGRESS, subnet
from testbed.objects import LIMIT_SECONDS, Objects
from testbed.waiting import until
from tests.e2e import outside
from tests.e2e.reach import Reach, reach_from
from tests.e2e.test_isolation import host_addresses
from toolchain.parts.host_rules import CALLED_FROM, FORWARD, HostRules
from toolchain.paths import Paths

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.timeout(300)]

# Of a tenant that there is not.
WHOLE = IPv4Network("10.77.247.0/24")
METADATA = "169.254.169.254"
PUBLISHED = 18247


@pytest.fixture(scope="module")
def objects() -> Iterator[Objects]:
    client = docker.APIClient(**docker.utils.kwargs_from_env(), timeout=LIMIT_SECONDS)
    yield Objects(client=client)
    client.close()


@pytest.fixture(scope="module")
def rules() -> HostRules:
    """The host's rules, held; on a machine that is not ours to change, nothing is tried."""
    host_rules = HostRules(os.environ, Paths.of(os.environ))
    if not host_rules.started_here:
        pytest.skip("the engine was neither started nor installed here: its host's packet rules are not ours")
    host_rules.hold()
    return host_rules


@pytest.fixture(scope="module")
def networks(objects: Objects) -> Iterator[dict[str, str]]:
    """Ingress and egress where a tenant has them, by kind."""
    made = {}
    try:
        for kind in (INGRESS, EGRESS):
            place = subnet(WHOLE, kind)
            pool = {"Config": [{"Subnet": str(place), "Gateway": str(place[1])}]}
            name = f"e2e-wall-{kind}"
            objects.client.create_network(name, driver="bridge", ipam=pool, labels={"portals.e2e": ""})
            made[kind] = name
        yield made
    finally:
        for name in made.values():
            objects.client.remove_network(name)


@pytest.fixture(scope="module")
def beyond() -> Iterator[tuple[str, int]]:
    """A machine beyond this host, which also answers as a cloud's metadata does."""
    try:
        with outside.outside() as endpoint:
            outside.ip("-n", outside.NAME, "addr", "add", f"{METADATA}/32", "dev", "lo")
            outside.ip("route", "add", f"{METADATA}/32", "via", outside.THERE)
            assert outside.is_listening(METADATA, endpoint[1])
            yield endpoint
    except outside.NoOutside as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def hosts_port() -> Iterator[int]:
    """A port that this host opens on all of its addresses."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        yield server.getsockname()[1]


def reach_by(objects: Objects, network: str, endpoints: set[tuple[str, int]]) -> Reach:
    return reach_from(objects, [network], endpoints=endpoints)


def test_egress_leads_neither_to_the_host_nor_to_its_metadata(
    objects: Objects,
    rules: HostRules,
    networks: dict[str, str],
    beyond: tuple[str, int],
    hosts_port: int,
) -> None:
    host = {(each, hosts_port) for each in host_addresses()}
    assert len(host) > 2
    metadata = (METADATA, beyond[1])
    view = reach_by(objects, networks[EGRESS], {*host, metadata, beyond})
    # The control: a smarthost, wherever it is.
    assert view.endpoints[beyond] == "open"
    assert {
        endpoint: view.endpoints[endpoint]
        for endpoint in {*host, metadata}
        if view.endpoints[endpoint] != "silent"
    } == {}


def test_the_way_in_leads_nowhere(
    objects: Objects,
    rules: HostRules,
    networks: dict[str, str],
    beyond: tuple[str, int],
    hosts_port: int,
) -> None:
    host = {(each, hosts_port) for each in host_addresses()}
    view = reach_by(objects, networks[INGRESS], {*host, (METADATA, beyond[1]), beyond})
    assert {endpoint: answer for endpoint, answer in view.endpoints.items() if answer != "silent"} == {}


def test_without_them_all_of_it_answers(
    objects: Objects,
    rules: HostRules,
    networks: dict[str, str],
    beyond: tuple[str, int],
    hosts_port: int,
) -> None:
    """The control of the two above, and that what somebody flushed comes back with the next command."""
    endpoints = {(METADATA, beyond[1]), beyond, *((each, hosts_port) for each in host_addresses())}
    try:
        for chain, caller in CALLED_FROM.items():
            iptables("-D", caller, "-j", chain)
        assert rules.state() == "missing"
        assert set(reach_by(objects, networks[EGRESS], endpoints).endpoints.values()) == {"open"}
    finally:
        rules.hold()
    assert rules.state() == "held"


@contextmanager
def published(objects: Objects, network: str) -> Iterator[None]:
    """A server on the way in, its port published on all of the host's addresses."""
    client: Any = objects.client
    made = client.create_container(
        objects.image("python"),
        entrypoint=["python3", "-c", outside.SERVER, "8080"],
        ports=[8080],
        labels=["portals.e2e"],
        host_config=client.create_host_config(
            network_mode=network, port_bindings={8080: ("0.0.0.0", PUBLISHED)}
        ),
    )
    try:
        client.start(made["Id"])
        until("the published port", lambda: outside.is_listening("127.0.0.1", PUBLISHED))
        yield
    finally:
        client.remove_container(made["Id"], force=True)


def test_the_published_port_goes_on_working(
    objects: Objects, rules: HostRules, networks: dict[str, str], beyond: tuple[str, int]
) -> None:
    """From the host by each of its addresses, and from a machine beyond it; not by way of another portal."""
    with published(objects, networks[INGRESS]):
        for each in ("127.0.0.1", *host_addresses()):
            until(f"an answer at {each}:{PUBLISHED}", partial(outside.is_listening, each, PUBLISHED))
        completed = subprocess.run(
            [
                *("ip", "netns", "exec", outside.NAME, sys.executable, "-c"),
                f"import socket; socket.create_connection(({outside.HERE!r}, {PUBLISHED}), 5)",
            ],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert completed.returncode == 0, completed.stderr
        endpoints = {(each, PUBLISHED) for each in host_addresses()}
        assert "open" not in reach_by(objects, networks[EGRESS], endpoints).endpoints.values()


def test_rules_of_others_are_not_touched(rules: HostRules) -> None:
    """Twice is as once, whatever stands around them."""
    foreign = ("-s", "192.0.2.77/32", "-j", "RETURN")
    for chain in CALLED_FROM.values():
        iptables("-I", chain, "1", *foreign)
    try:
        before = iptables("-S")
        rules.hold()
        assert iptables("-S") == before
        iptables("-F", FORWARD)
        assert rules.state() == "missing"
        rules.hold()
        assert iptables("-S") == before
    finally:
        for chain in CALLED_FROM.values():
            iptables("-D", chain, *foreign)


def iptables(*words: str) -> str:
    return subprocess.run(
        ["iptables", "-w", "10", *words], check=True, capture_output=True, text=True, timeout=30
    ).stdout
