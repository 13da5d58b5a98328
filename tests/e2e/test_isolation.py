"""Two portals side by side on one engine: neither knows of the other. Asked from inside every container."""

import contextlib
import json
import os
import socket
import subprocess
import uuid
from collections.abc import Iterable, Iterator

import pytest

from automation.engine.process_limits import PROCESSES
from testbed.objects import Objects
from testbed.trial import Trial
from tests.e2e.mounts import directory, mounts
from tests.e2e.outside import NoOutside, is_listening, outside
from tests.e2e.reach import Reach, reach_from, reaches
from toolchain.parts.host_rules import HostRules
from toolchain.paths import Paths

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

PORTS = {
    "mysql": 3306, "mongo": 27017, "redis": 6379, "memcached": 11211, "rabbitmq": 5672, "elasticsearch": 9200,
    "lms": 8000, "cms": 8010, "forum": 4567, "nginx": 8000, "load-balancer": 8080,
    "mailer": 8025, "mail-sink": 8026,
}  # fmt: skip
# Where else the same programs may listen.
MORE_PORTS = {4369, 25672, 9300, 8081, 33060}
# Directory of the portal → its path in the container, and whether the container may only read.
MOUNTS = {
    "mysql": {("mysql", "/data", False)},
    "mongo": {("mongo", "/data", False)},
    "redis": {("redis", "/data", False)},
    "rabbitmq": {("rabbitmq", "/data", False)},
    "elasticsearch": {("elasticsearch", "/data", False)},
    "mailer": {("mailer", "/data", False)},
    "mail-sink": {("mail-sink", "/data", False)},
    **{
        service: {(each, f"/openedx/{each}", False) for each in ("media", "overrides", "rendered")}
        for service in ("lms", "cms", "lms-workers", "cms-workers")
    },
    "nginx": {("media", "/openedx/media", True), ("static", "/openedx/static", True)},
}


@pytest.fixture(scope="module", params=["oak from elm", "elm from oak"])
def pair(request: pytest.FixtureRequest, oak: Trial, elm: Trial) -> tuple[Trial, Trial]:
    """The portal that looks, and the one that must not be seen."""
    return (elm, oak) if request.param == "oak from elm" else (oak, elm)


JOB = "edxapp-migrations"
STORES = {"mysql", "mongo", "redis", "memcached", "rabbitmq", "elasticsearch"}
APPLICATIONS = {"lms", "cms", "lms-workers", "cms-workers", JOB}
# Who calls whom, said once more in other words than the release does.
CALLED = {
    **dict.fromkeys(STORES, APPLICATIONS),
    "mongo": APPLICATIONS | {"forum"},
    "elasticsearch": APPLICATIONS | {"forum"},
    "forum": {"lms", "lms-workers"},
    "lms": {"load-balancer", "cms"},
    "cms": {"load-balancer"},
    "nginx": {"load-balancer"},
    "mailer": APPLICATIONS - {JOB},
    "mail-sink": {"load-balancer", "mailer"},
    "load-balancer": set(),
}
# What is reached without being called, because two share a network that both have a need of: who → whom, and why that
# costs little. What is not in these tables is silent.
SHARED = {
    "lms and cms call all stores and show every browser their pages by way of the load balancer": {
        **{each: {"lms", "cms"} for each in (*STORES, "forum", "mailer", "mail-sink", "nginx")},
        **{each: {"lms", "cms"} for each in (JOB, "lms-workers", "cms-workers")},
        "lms": {"cms"},
    },
    "stores of the same callers; each of them asks for a password": {
        each: {"mysql", "redis", "rabbitmq"} - {each} for each in ("mysql", "redis", "rabbitmq")
    },
    "the forum calls mongo and elasticsearch, and asks for a key": {
        each: {"forum"} for each in ("mongo", "elasticsearch", "cms", "cms-workers", JOB)
    },
    "what the load balancer serves shares its network: pages that browsers see anyway, the sink's behind a password": {
        **{each: {"nginx", "mail-sink", "load-balancer"} - {each} for each in ("nginx", "mail-sink")},
        **{each: {"nginx", "mail-sink", "load-balancer"} for each in ("lms", "cms")},
    },
    "a demo's mail ends in the sink, which is where the mailer is; whoever may send may fill it": {
        **{each: {"mail-sink"} for each in ("lms", "cms", "lms-workers", "cms-workers")},
        "mail-sink": {"mailer"},
    },
}


@pytest.fixture(scope="module")
def listening(pair: tuple[Trial, Trial], objects: Objects) -> dict[str, tuple[int, ...]]:
    """What each container of the portal that looks listens on, but for its own loopback address."""
    return {service: view.listening for service, view in reaches(objects, pair[0].name).items()}


@pytest.fixture(scope="module")
def views(
    pair: tuple[Trial, Trial], objects: Objects, listening: dict[str, tuple[int, ...]]
) -> dict[str, Reach]:
    """What each container of the one can reach: every port of its own portal, every endpoint of the other's.

    The job has ended: what it could reach is asked from a container on the networks that it was on.
    """
    looking, hidden = pair
    ports = {*PORTS.values(), *MORE_PORTS}
    theirs = [address for addresses_of in objects.addresses(hidden.name).values() for address in addresses_of]
    assert len(theirs) >= len(PORTS)
    own = {
        (address, port)
        for service, addresses_of in objects.addresses(looking.name).items()
        for address in addresses_of
        for port in listening[service]
    }
    names = {
        *PORTS,
        *(f"{looking.name}-{service}" for service in PORTS),
        *hidden_names(objects, hidden),
    }
    endpoints = {*own, *((address, port) for address in theirs for port in ports)}
    job = objects.containers(looking.name)[JOB]["NetworkSettings"]["Networks"]
    return {
        **reaches(objects, looking.name, names, endpoints),
        JOB: reach_from(objects, sorted(job), names, endpoints),
    }


def hidden_names(objects: Objects, hidden: Trial) -> set[str]:
    """Every name by which Docker might know a container of the other portal."""
    containers = objects.containers(hidden.name)
    joined = [
        (service, network)
        for service in containers
        for network in containers[service]["NetworkSettings"]["Networks"]
    ]
    return {
        *(f"{hidden.name}-{service}" for service in containers),
        *(f"{service}.{network}" for service, network in joined),
        *(f"{hidden.name}-{service}.{network}" for service, network in joined),
        *(each["Id"][:12] for each in containers.values()),
        *(
            each["Config"]["Hostname"]
            for each in containers.values()
            if each["Config"]["Hostname"] != "rabbitmq"
        ),
    }


def reached(
    view: Reach, service: str, addresses: dict[str, list[str]], ports: Iterable[int], answers: set[str]
) -> set[tuple[str, int]]:
    """The endpoints of a service that gave one of these answers."""
    return {
        (address, port)
        for address in addresses[service]
        for port in ports
        if view.endpoints[address, port] in answers
    }


def test_every_container_was_asked(views: dict[str, Reach], listening: dict[str, tuple[int, ...]]) -> None:
    """A container that is left out might be the one that sees too much, a port that is left out the open one."""
    assert len(views) == 16
    assert {each for each in listening if listening[each]} == set(PORTS)
    assert {service for service, port in PORTS.items() if port not in listening[service]} == set()


def test_who_calls_is_answered(views: dict[str, Reach], pair: tuple[Trial, Trial], objects: Objects) -> None:
    """The control: where silence is found, those who are called are heard by the same means."""
    addresses = objects.addresses(pair[0].name)
    for service, callers in CALLED.items():
        for caller in callers:
            assert reached(views[caller], service, addresses, [PORTS[service]], {"open"}), (
                f"{caller} → {service}"
            )


def test_nobody_else_is_answered(
    views: dict[str, Reach],
    pair: tuple[Trial, Trial],
    objects: Objects,
    listening: dict[str, tuple[int, ...]],
) -> None:
    """Container by container and port by port, not even by a refusal; and no reason outlives what it explains."""
    addresses = objects.addresses(pair[0].name)
    expected = {(caller, service) for service, callers in CALLED.items() for caller in callers}
    expected |= {(one, other) for table in SHARED.values() for one, those in table.items() for other in those}
    reached_pairs = {
        (one, other)
        for one, view in views.items()
        for other in addresses
        if one != other and reached(view, other, addresses, listening[other], {"open", "refused"})
    }
    assert reached_pairs - expected == set()
    assert expected - reached_pairs == set()


def test_faces_reach_no_store(
    views: dict[str, Reach],
    pair: tuple[Trial, Trial],
    objects: Objects,
    listening: dict[str, tuple[int, ...]],
) -> None:
    """What browsers and mail servers talk to: the first that are broken into."""
    addresses = objects.addresses(pair[0].name)
    for face in ("load-balancer", "nginx", "mailer", "mail-sink"):
        for store in STORES:
            assert not reached(views[face], store, addresses, listening[store], {"open", "refused"}), (
                f"{face} → {store}"
            )


# What memcached is asked to keep: a pickle that would run as the lms when it read it.
PLANT = """
import json, socket, sys
told = []
for address in sys.argv[1:]:
    try:
        with socket.create_connection((address, 11211), 2) as talk:
            talk.settimeout(2)
            talk.sendall(b"set e2e-planted 0 5 4\\r\\nX100\\r\\n")
            told.append(talk.recv(64).decode().strip())
    except OSError as error:
        told.append(type(error).__name__)
print(json.dumps(told))
"""


def test_a_pickle_gets_to_the_lms_from_nobody_but_its_own(
    pair: tuple[Trial, Trial], objects: Objects
) -> None:
    """Open edX reads pickles from its cache: whoever writes there is the lms."""
    containers = objects.containers(pair[0].name, jobs=False)
    addresses = objects.addresses(pair[0].name)["memcached"]
    endpoints = {
        service: objects.python_in_network_of(containers[service]["Id"], PLANT, *addresses)
        for service in ("lms", "nginx", "load-balancer", "redis")
    }
    # The control: by the very same words the lms may.
    assert endpoints.pop("lms") == ["STORED"]
    assert all("STORED" not in each for each in endpoints.values()), endpoints


def test_service_names_are_known_to_those_who_call(
    views: dict[str, Reach], pair: tuple[Trial, Trial], objects: Objects
) -> None:
    """`mysql` means another container in every portal: the wrong one would be another client's data."""
    own = objects.addresses(pair[0].name)
    for service, view in views.items():
        for name in PORTS:
            if service in CALLED[name]:
                assert view.names[name], f"{service} does not find {name}"
            assert set(view.names[name]) <= set(own[name]), f"{service} → {name}"


def test_none_of_the_others_names_resolve(
    views: dict[str, Reach], pair: tuple[Trial, Trial], objects: Objects
) -> None:
    """Who has which portals is nobody else's business."""
    hidden = hidden_names(objects, pair[1])
    assert [
        (service, name, addresses_of)
        for service, view in views.items()
        for name, addresses_of in view.names.items()
        if name in hidden and addresses_of
    ] == []


def test_none_of_the_others_addresses_answer(
    views: dict[str, Reach], pair: tuple[Trial, Trial], objects: Objects
) -> None:
    """Not even by a refusal: no packet may reach another portal's container."""
    theirs = {
        address for addresses_of in objects.addresses(pair[1].name).values() for address in addresses_of
    }
    assert [
        (service, *endpoint, answer)
        for service, view in views.items()
        for endpoint, answer in view.endpoints.items()
        if endpoint[0] in theirs and answer != "silent"
    ] == []


def gateways(objects: Objects, portal: Trial) -> set[str]:
    """The address that the host has, or would have, on each network of a portal."""
    return {each["IPAM"]["Config"][0]["Gateway"] for each in objects.networks(portal.name)}


def test_the_others_published_port_is_closed(pair: tuple[Trial, Trial], objects: Objects) -> None:
    """It is published to this machine's people, on the loopback address; not to containers by way of a gateway."""
    looking, hidden = pair
    endpoints = [(each, hidden.port) for portal in pair for each in gateways(objects, portal)]
    for service, view in reaches(objects, looking.name, endpoints=endpoints).items():
        assert "open" not in view.endpoints.values(), (service, view.endpoints)


@pytest.fixture(scope="module")
def hosts_port() -> Iterator[int]:
    """A port that this host opens on all of its addresses, as sshd does."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        yield server.getsockname()[1]


def host_addresses() -> set[str]:
    """The IPv4 addresses that this host has, but for the loopback one."""
    listed = json.loads(
        subprocess.run(["ip", "-4", "-j", "addr"], check=True, capture_output=True, timeout=30).stdout
    )
    addresses = {each["local"] for link in listed for each in link["addr_info"]}
    return {each for each in addresses if not each.startswith("127.")}


@pytest.fixture(scope="module")
def guarded() -> bool:
    """Whether the host's packet rules are held: where the machine is not ours to change, the load balancer is left out."""
    host_rules = HostRules(os.environ, Paths.of(os.environ))
    return host_rules.ensure() == "held"


def test_the_host_is_silent(
    pair: tuple[Trial, Trial], objects: Objects, hosts_port: int, guarded: bool
) -> None:
    """At no gateway, and at no other address of the host: from inside not even a refusal comes back."""
    host = host_addresses()
    # The control: the port is open where it should be, and the host has addresses on the portals' own networks.
    open_hosts = {each for each in host if is_listening(each, hosts_port)}
    # Networks of other tests come and go meanwhile.
    assert open_hosts >= host & host_addresses()
    assert open_hosts & gateways(objects, pair[0])
    endpoints = [
        (each, hosts_port) for each in {*host, *gateways(objects, pair[0]), *gateways(objects, pair[1])}
    ]
    reached_by = reaches(objects, pair[0].name, endpoints=endpoints)
    if not guarded:
        reached_by.pop("load-balancer")
    assert {
        (service, *endpoint, answer)
        for service, view in reached_by.items()
        for endpoint, answer in view.endpoints.items()
        if answer != "silent"
    } == set()


@pytest.fixture(scope="module")
def beyond() -> Iterator[tuple[str, int]]:
    """The endpoint of a machine beyond this host."""
    with contextlib.ExitStack() as stack:
        try:
            endpoint = stack.enter_context(outside())
        except NoOutside as reason:
            pytest.skip(str(reason))
        yield endpoint


def test_nothing_has_egress(
    pair: tuple[Trial, Trial], objects: Objects, beyond: tuple[str, int], guarded: bool
) -> None:
    """What is broken into must not call home, the load balancer included: its network is a way in."""
    out = {
        service
        for service, view in reaches(objects, pair[0].name, endpoints=[beyond]).items()
        if view.endpoints[beyond] != "silent"
    }
    assert out <= (set() if guarded else {"load-balancer"})


def test_no_container_can_take_all_process_numbers(pair: tuple[Trial, Trial], objects: Objects) -> None:
    """Every container that stays up, by what the kernel holds it to."""
    for service, inspection in objects.containers(pair[0].name, jobs=False).items():
        assert inspection["HostConfig"]["PidsLimit"] == PROCESSES, service


@pytest.fixture(scope="module")
def marker(pair: tuple[Trial, Trial], objects: Objects) -> Iterator[str]:
    """The name of a file that lies in every directory of the portal that must not be seen, readable by all."""
    name = f"marker-{uuid.uuid4().hex}"
    hidden = pair[1].name
    objects.run_on_drive(
        pair[1].root,
        f'find /drive/{hidden} -type d -maxdepth 1 | while read d; do echo here > "$d/{name}"; done',
    )
    yield name
    objects.run_on_drive(pair[1].root, f"find /drive/{hidden} -maxdepth 2 -name {name} -delete")


def test_none_of_the_others_files_are_there(pair: tuple[Trial, Trial], objects: Objects, marker: str) -> None:
    """Looked for by name through the whole of each container, as its own user and as root."""
    search = f"find / -path /proc -prune -o -path /sys -prune -o -name {marker} -print 2>/dev/null"
    for service, inspection in objects.containers(pair[0].name, jobs=False).items():
        for user in ("", "0:0"):
            assert objects.exec_in(inspection["Id"], "sh", "-c", search, user=user) == "", service


def test_each_container_sees_its_own_directories_alone(pair: tuple[Trial, Trial], objects: Objects) -> None:
    """By the kernel's table: neither the drive's root, nor the portal's directory, nor another's."""
    looking = pair[0].name
    for service, inspection in objects.containers(looking, jobs=False).items():
        mounted = {
            (directory(each, looking), each.path, each.read_only)
            for each in mounts(objects, inspection["Id"])
        }
        assert mounted == MOUNTS.get(service, set()), service


def test_the_drives_root_is_mounted_nowhere(pair: tuple[Trial, Trial], objects: Objects) -> None:
    """Jobs included, which have ended: the portal's own directory is the most that any is given."""
    looking = pair[0]
    for service, inspection in objects.containers(looking.name).items():
        targets = [
            *(inspection["HostConfig"]["Binds"] or []),
            *(each["Source"] for each in inspection["Mounts"] if each["Source"]),
        ]
        for source in (each.split(":")[0] for each in targets):
            assert source.rstrip("/") != str(looking.root), service
            assert not str(looking.root).startswith(f"{source.rstrip('/')}/"), f"{service} sees {source}"
