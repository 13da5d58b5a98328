"""What a tenant has for itself alone, and where two tenants claim the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import PurePosixPath

from config.values import names
from config.values.host_names import below_lms
from config.values.placement import machine

ANYWHERE = "0.0.0.0"  # noqa: S104 - compared, not bound
# Where a tenant file says what it claims.
PATHS = (
    "hosts/lms",
    "hosts/cms",
    "hosts/mail",
    "listen/address",
    "listen/port",
    "placement/docker_host",
    "placement/subnet",
    "storage/root",
)


@dataclass(frozen=True, kw_only=True)
class Claims:
    """The claims of one tenant, as far as its file could be read; `values` by the path of their key."""

    tenant: str
    values: Mapping[str, object]
    # Those of its release.
    services: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all of it could be read."""
        return all(path in self.values for path in PATHS)

    @property
    def hosts(self) -> dict[str, str]:
        """Host names by the path of their key."""
        return {path: str(self.values[path]) for path in PATHS[:3] if self.values.get(path)}

    @property
    def derived(self) -> dict[str, str]:
        """Host names that follow from hosts/lms, by the service that has them."""
        lms = self.values.get("hosts/lms")
        return below_lms(str(lms), self.services) if lms else {}

    @property
    def listen(self) -> tuple[str, int, str] | None:
        """Machine, port and address."""
        keys = ("placement/docker_host", "listen/port", "listen/address")
        engine, port, address = (self.values.get(key) for key in keys)
        if engine is None or not isinstance(port, int) or address is None:
            return None
        return machine(str(engine)), port, str(address)

    @property
    def subnet(self) -> IPv4Network | None:
        """The tenant's subnet."""
        subnet_values = self.values.get("placement/subnet")
        return subnet_values if isinstance(subnet_values, IPv4Network) else None

    @property
    def directory(self) -> PurePosixPath | None:
        """The tenant's directory on the drive, which hosts mount at the same path."""
        root = self.values.get("storage/root")
        return None if root is None else PurePosixPath(str(root)) / self.tenant


@dataclass(frozen=True, kw_only=True)
class Clash:
    """A claim of `tenant`, at the key `path`, that another tenant has too."""

    tenant: str
    path: str
    text: str


def clashes(claims: Iterable[Claims]) -> list[Clash]:
    """Every tenant's clashes, each claim with one other tenant at most. Time is n log n in the tenants."""
    ordered = sorted(claims, key=lambda each: each.tenant)
    return [*_names(ordered), *_hosts(ordered), *_ports(ordered), *_subnets(ordered), *_directories(ordered)]


def _names(claims: list[Claims]) -> Iterator[Clash]:
    for shorter, longer in names.clashes(each.tenant for each in claims):
        text = f"containers, networks or volumes of '{shorter}' and '{longer}' would share a name"
        for tenant in (shorter, longer):
            yield Clash(tenant=tenant, path="name", text=f"{text}, expected another name for one of them")


def _hosts(claims: list[Claims]) -> Iterator[Clash]:
    owners: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for each in claims:
        for path, host in each.hosts.items():
            owners[host].append((each.tenant, path, path))
        for service, host in each.derived.items():
            owners[host].append((each.tenant, "hosts/lms", f"{service} below hosts/lms"))
    for host, places in owners.items():
        for tenant, path, what in places:
            other = next((place for place in places if place[0] != tenant), None)
            if other:
                mine = "" if what == path else f", its {what},"
                text = f"'{host}'{mine} is {other[2]} of tenant '{other[0]}', expected a host of its own"
                yield Clash(tenant=tenant, path=path, text=text)


def _ports(claims: list[Claims]) -> Iterator[Clash]:
    by_port: dict[tuple[str, int], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for each in claims:
        if each.listen:
            engine, port, address = each.listen
            by_port[engine, port][address].append(each.tenant)
    for (_, port), by_address in by_port.items():
        for address, tenants in by_address.items():
            # Two of any address suffice to find one other tenant.
            near = by_address if address == ANYWHERE else {address, ANYWHERE} & by_address.keys()
            others = [(tenant, place) for place in sorted(near) for tenant in by_address[place][:2]]
            for tenant in tenants:
                other = next((each for each in others if each[0] != tenant), None)
                if other:
                    other_claim = f"{other[1]}:{port} of tenant '{other[0]}' on the same machine"
                    text = f"{address}:{port} collides with {other_claim}, expected another port or address"
                    yield Clash(tenant=tenant, path="listen/port", text=text)


def _subnets(claims: list[Claims]) -> Iterator[Clash]:
    spans = sorted(
        (int(each.subnet.network_address), -each.subnet.num_addresses, each.tenant, each.subnet)
        for each in claims
        if each.subnet
    )
    # Networks overlap only by one holding the other, so the widest so far is the one to compare with.
    widest: tuple[int, str, IPv4Network] | None = None
    reported: set[str] = set()
    for start, negative, tenant, subnet in spans:
        if widest and start <= widest[0]:
            for one, mine, other, theirs in ((tenant, subnet, *widest[1:]), (*widest[1:], tenant, subnet)):
                if one not in reported:
                    reported.add(one)
                    text = f"'{mine}' overlaps '{theirs}' of tenant '{other}', expected a subnet of its own"
                    yield Clash(tenant=one, path="placement/subnet", text=text)
        else:
            widest = (start - negative - 1, tenant, subnet)


def _directories(claims: list[Claims]) -> Iterator[Clash]:
    owners = {each.directory: each.tenant for each in claims if each.directory}
    reported: set[str] = set()
    for inner, tenant in owners.items():
        outer = next((parent for parent in inner.parents if parent in owners), None)
        if outer is None:
            continue
        holder = owners[outer]
        inside = f"'{inner}' of tenant '{tenant}' lies inside '{outer}' of tenant '{holder}'"
        for one in (tenant, holder):
            if one not in reported:
                reported.add(one)
                yield Clash(tenant=one, path="storage/root", text=f"{inside}, expected separate directories")
