"""What stands in the way of what is required, with the remedy: pure functions, a rule each.

What engines refuse only after something was stopped is recorded in tests/contract/data/error.json.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address
from typing import Any

from preflight.facts import Facts, Network
from preflight.procfs import ListenAddress, Route
from preflight.requirements import PublishedPort, Requirements, Subnet

# The engine refuses less: daemon/daemon_unix.go of moby (linuxMinMemory).
LEAST_MEMORY_MIB = 6
# Below it only a root engine opens a port, where nobody has set net.ipv4.ip_unprivileged_port_start otherwise.
FIRST_UNPRIVILEGED_PORT = 1024


DRIVE_AWAY = "the drive is not mounted on the engine's host, or is not marked"


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """One thing in the way. `key` is the tenant file's, empty where it is none of its keys; `what` names the two in conflict."""

    key: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.key}: {self.what}; {self.remedy}" if self.key else f"{self.what}; {self.remedy}"

    @property
    def is_the_drive(self) -> bool:
        """Whether it is that the drive is away: nobody has to decide anything, only to mount it."""
        return self.what.startswith(DRIVE_AWAY)

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def asks_host(required: Requirements, facts: Facts) -> bool:
    """Whether the engine's host has to be asked, too: for a port or a subnet that the portal does not have yet, or for room."""
    has = {
        (container.name, listen)
        for container in facts.containers
        if container.name in required.leaving_containers
        for listen in container.published
    }
    keeps = {(each.name, subnet) for each in facts.networks for subnet in each.subnets}
    return (
        required.room > 0
        or required.disk > 0
        or any((each.container, each.listen) not in has for each in required.published)
        or any((each.network, each.subnet) not in keeps for each in required.subnets)
    )


def obstacles(
    required: Requirements, facts: Facts, tenant: str, *, images_come: bool = False
) -> tuple[Obstacle, ...]:
    """All of them, what people decide in the tenant's file first. `images_come` when missing ones are brought before anything else."""
    return (
        *_published_ports(required, facts),
        *_subnets(required, facts),
        *_names(required, facts, tenant),
        *_volumes(required, facts),
        *_images(required, facts, images_come),
        *_memory(required, facts),
        *_refused(facts),
    )


def notes(required: Requirements, facts: Facts) -> tuple[str, ...]:
    """What is worth knowing and stands in nobody's way."""
    missing = sorted(each for each in required.images if each not in facts.images)
    lines = [
        f"the engine does not have {len(missing)} images yet; `./portal up` builds or pulls them first"
    ] * bool(missing)
    lines += [
        f"the host reaches {route.network} by {route.interface}, and {each.subnet} of {each.network} "
        "is part of it: from then on this host uses those addresses for the portal"
        for each in required.subnets
        for route in facts.routes
        if _around(route, each)
    ]
    lines += [
        f"{name} may take {limit} MiB but the engine's host has only {facts.memory} in all: the limit has no effect"
        for name, limit in sorted(required.limits.items())
        if 0 < facts.memory < limit
    ]
    return (*lines, *((f"not asked: {facts.unasked}",) if facts.unasked else ()))


def _published_ports(required: Requirements, facts: Facts) -> Iterator[Obstacle]:
    for each in required.published:
        holder = next((name for name in _holders(each, required, facts)), "")
        where = f"{each.listen}, where {each.container} is to listen,"
        if holder:
            yield Obstacle(key="listen/port", what=f"{where} is taken by {holder}", remedy=_OTHER_PORT)
        elif facts.host and not _is_own(each.listen, facts):
            yield Obstacle(
                key="listen/address",
                what=f"{each.listen.address} is not an address of the engine's host",
                remedy="choose one of its addresses, or 0.0.0.0 for all",
            )
        if facts.rootless and each.listen.port < FIRST_UNPRIVILEGED_PORT:
            yield Obstacle(
                key="listen/port",
                what=f"{where} is below {FIRST_UNPRIVILEGED_PORT}, and the engine is not root's",
                remedy="choose a higher one, for example 8080",
            )


_OTHER_PORT = "choose another port or address, or free this one"


def _holders(port: PublishedPort, required: Requirements, facts: Facts) -> Iterator[str]:
    """Who listens there already and does not end: containers by name, then whatever program of the host listens."""
    published: set[ListenAddress] = set()
    for container in facts.containers:
        published |= set(container.published)
        if container.name not in required.leaving_containers:
            for listen in container.published:
                if listen.conflicts_with(port.listen):
                    yield f"container {container.name}" + (
                        f" of portal {container.tenant}" if container.tenant else ""
                    )
    for listen in sorted(facts.host.listening if facts.host else ()):
        # What a container publishes, Docker's own proxy listens at.
        if listen not in published and listen.conflicts_with(port.listen):
            yield f"a program of the engine's host, which listens at {listen}"
    if facts.host and port.listen in facts.host.unbindable:
        yield "a program of the engine's host, which holds it without listening there"


def to_bind(required: Requirements, facts: Facts) -> list[ListenAddress]:
    """What is to be tried on the engine's host: what is required, but nothing that a container of the portal holds until it ends."""
    kept = [
        listen
        for container in facts.containers
        if container.name in required.leaving_containers
        for listen in container.published
    ]
    return [
        each.listen
        for each in required.published
        if not any(each.listen.conflicts_with(listen) for listen in kept)
    ]


def _is_own(listen: ListenAddress, facts: Facts) -> bool:
    host = facts.host
    address = IPv4Address(listen.address)
    # A text that could not be read has no address at all: it decides nothing.
    return not host or not host.own or address.is_unspecified or any(address in each for each in host.own)


def _subnets(required: Requirements, facts: Facts) -> Iterator[Obstacle]:
    for each in required.subnets:
        remedy = "choose a /24 of the fleet's pool that is free there"
        for network in facts.networks:
            other = next((one for one in network.subnets if one.overlaps(each.subnet)), None)
            if other and network.name not in required.leaving_networks and network.name != each.network:
                whose = f" of portal {network.tenant}" if network.tenant else ""
                yield Obstacle(
                    key="placement/subnet",
                    what=f"{each.subnet}, for {each.network}, overlaps {other} of the engine's network {network.name}{whose}",
                    remedy=remedy,
                )
        for route in facts.routes:
            if route.network.overlaps(each.subnet) and not _around(route, each):
                yield Obstacle(
                    key="placement/subnet",
                    what=f"{each.subnet}, for {each.network}, overlaps {route.network}, which the engine's host reaches by "
                    f"{route.interface}",
                    remedy=remedy,
                )
        for own in facts.own_addresses:
            if own.subnet_of(each.subnet):
                yield Obstacle(
                    key="placement/subnet",
                    what=f"{each.subnet}, for {each.network}, has {own.network_address} in it, which is an address of the "
                    "engine's host",
                    remedy=remedy,
                )


def _around(route: Route, new: Subnet) -> bool:
    """Whether a route is a wider one to elsewhere, such as 10.0.0.0/8 by a router: a portal takes a part of it, and may."""
    return not route.linked and route.network != new.subnet and new.subnet.subnet_of(route.network)


def _names(required: Requirements, facts: Facts, tenant: str) -> Iterator[Obstacle]:
    for kind, there, new, leaving in (
        ("container", facts.containers, required.new_containers, required.leaving_containers),
        ("network", facts.networks, required.new_networks, required.leaving_networks),
    ):
        for each in there:
            if each.name in new and each.name not in leaving:
                yield Obstacle(
                    key="", what=_whose(kind, each.name, each.tenant), remedy=_rid(kind, each, tenant)
                )


def _whose(kind: str, name: str, tenant: str) -> str:
    owner = f"portal {tenant}, but not this state," if tenant else "no portal"
    return f"a {kind} {name} exists already and belongs to {owner}".rstrip(",")


def _rid(kind: str, there: Any, tenant: str) -> str:
    words = "docker network rm" if isinstance(there, Network) else "docker rm"
    if there.tenant == tenant:
        return f"another checkout may have created it: check with `./portal orphans`; if nobody needs it, `{words} {there.name}`"
    return f"rename it, or remove it with `{words} {there.name}`"


def _volumes(required: Requirements, facts: Facts) -> Iterator[Obstacle]:
    for each in facts.volumes:
        options = required.volumes.get(each.name)
        if options is not None and dict(options) != dict(each.options):
            device = each.options.get("device") or "the engine's own disk"
            yield Obstacle(
                key="",
                what=f"a volume {each.name} exists already and has its files in {device}, not in {options.get('device')}",
                remedy=f"check its content; if nobody needs it, `docker volume rm {each.name}`",
            )


def _images(required: Requirements, facts: Facts, come: bool) -> Iterator[Obstacle]:
    for each in sorted(required.images):
        machine = facts.images.get(each, "")
        if not machine and come:
            continue
        if not machine:
            yield Obstacle(
                key="",
                what=f"the engine does not have the image {each}",
                remedy="`./portal up` builds or pulls what is missing",
            )
        elif facts.machine and machine not in ("unknown", facts.machine):
            yield Obstacle(
                key="",
                what=f"the image {each} is for {machine}, and the engine's host is {facts.machine}",
                remedy=f"name one for {facts.machine}",
            )


def _memory(required: Requirements, facts: Facts) -> Iterator[Obstacle]:
    for name, limit in sorted(required.limits.items()):
        if limit < LEAST_MEMORY_MIB:
            yield Obstacle(
                key="sizes",
                what=f"{name} has a limit of {limit} MiB, and the engine refuses less than {LEAST_MEMORY_MIB}",
                remedy="give it more",
            )
    if facts.host and 0 < facts.host.memory < required.room:
        yield Obstacle(
            key="placement/docker_host",
            what=f"the engine's host has {facts.host.memory} MiB of memory free, but the new containers need {required.room} to start",
            remedy="choose another host or stop a portal there",
        )
    if facts.host and facts.host.disk is not None and facts.host.disk < required.disk:
        yield Obstacle(
            key="storage/root",
            what=f"the drive has {facts.host.disk} MiB free, but the containers that write to it need {required.disk} to start",
            remedy="free some space on the drive",
        )


def _refused(facts: Facts) -> Iterator[Obstacle]:
    if "bind source path does not exist" in facts.refused:
        yield Obstacle(
            key="storage/root",
            what=f"{DRIVE_AWAY} ({facts.refused})",
            remedy="mount it; mark a new drive once with `./portal drive init`",
        )
    elif facts.refused:
        yield Obstacle(
            key="",
            what=f"the engine does not run a container with a portal's limits: {facts.refused}",
            remedy="repair the engine; docs/decisions/0013 describes that container",
        )
