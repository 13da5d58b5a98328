"""One tenant: what its file says, checked whole, immutable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from types import MappingProxyType
from typing import Any

from config import checks, yamlfile
from config import names as naming
from config.claims import PATHS, Claims, clashes
from config.errors import ConfigError
from config.fleet import Fleet
from config.keys import Reading, build, each, text
from config.nodes import Section
from config.release import Release, Releases, ReleaseService
from config.sections import Admin, Hosts, Listen, Placement, Size, Storage
from config.words import listed, meant, quoted

__all__ = ["Admin", "Hosts", "Listen", "Placement", "Size", "Storage", "Tenant", "load_all", "names"]

_HERE = Path(__file__).parent
# More broken neighbours than these need no naming one by one.
_MOST_BROKEN = 20


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """Everything a portal is made from."""

    name: str
    title: str = field(metadata=text(checks.title, "What people call the portal.", "Demo University"))
    release: Release = field(
        metadata=text(
            checks.word, "The Open edX release, one of config/releases.", "redwood", default="redwood"
        )
    )
    images: str = field(
        default="packages",
        metadata=text(checks.images, "Where images come from: packages (built here).", "packages"),
    )
    hosts: Hosts
    listen: Listen
    placement: Placement
    storage: Storage
    admin: Admin
    sizes: Mapping[str, Size] = field(
        default_factory=dict,
        metadata=each("What a service gets, where that is to be other than the release says.", "lms"),
    )

    @property
    def directory(self) -> str:
        """The portal's directory on the drive."""
        return f"{self.storage.root}/{self.name}"

    @property
    def private_subnet(self) -> IPv4Network:
        """Addresses .0 to .127 of the tenant's subnet: the network without a way out."""
        return next(self.placement.subnet.subnets(new_prefix=25))

    @property
    def egress_subnet(self) -> IPv4Network:
        """Addresses .128 to .191: the network of the few services that need a way out."""
        return list(self.placement.subnet.subnets(new_prefix=26))[2]

    @classmethod
    def load(cls, name: str, folder: Path, fleet: Fleet | None = None) -> Tenant:
        """The tenant of `folder/<name>.yaml`, checked against all others there; raises ConfigError.

        `fleet` is that of config/fleet.yml unless given. The error names all that is wrong with this tenant, in the order of its file. What is wrong with another
        tenant's file is no matter here, unless it hides what that tenant claims for itself.
        """
        file = f"{folder.name}/{name}.yaml"
        try:
            naming.tenant(name)
        except ValueError as error:
            raise ConfigError(f"{quoted(file)[1:-1]}: name: {error}, for example {naming.EXAMPLE}") from None
        known = names(folder)
        if name not in known:
            guess = meant(name, known) or ";"
            raise ConfigError(f"{file}: does not exist{guess} tenants there: {listed(known)}")
        drafts = _drafts(known, folder, fleet)
        own = drafts[name]
        _collide(drafts)
        broken = _undecided((each for each in drafts.values() if each is not own), folder)
        if own.findings or broken:
            raise ConfigError(*own.findings.lines(), *broken)
        return own.tenant()


def load_all(folder: Path, fleet: Fleet | None = None) -> dict[str, Tenant]:
    """All tenants of a folder by name, checked against each other; raises ConfigError with all that is wrong."""
    drafts = _drafts(names(folder), folder, fleet)
    _collide(drafts)
    wrong = [line for each in drafts.values() for line in each.findings.lines()]
    if wrong or (wrong := _misnamed(folder)):
        raise ConfigError(*wrong)
    return {name: draft.tenant() for name, draft in drafts.items()}


def names(folder: Path) -> list[str]:
    """The tenants of a folder, sorted. `Pulumi.<tenant>.yaml` is the CLI's, and a leading dot an editor's."""
    return sorted(path.stem for path in folder.glob("*.yaml") if not path.name.startswith(("Pulumi.", ".")))


class _Draft(Reading):
    """What could be read of one tenant's file, and all that is wrong with it."""

    release: Release | None = None

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(f"{folder.name}/{name}.yaml")
        self.name = name
        self.path = folder / f"{name}.yaml"

    def read(self, fleet: Fleet, releases: Releases) -> None:
        """Reads and checks the file by itself."""
        try:
            naming.tenant(self.name)
        except ValueError as error:
            self.wrong("name", f"{error}, for example {naming.EXAMPLE}")
        root = yamlfile.load(self.path, self.findings)
        if root:
            self.keys(Tenant, root)
            self.of_release(root, releases)
            self.within(fleet)

    def of_release(self, root: Section, releases: Releases) -> None:
        """Checks what depends on the release."""
        self.release = self.load_release(releases)
        if self.release:
            services = self.release.services
            what = f"services of {self.release.name}"
            for service, section in self.named(root, "sizes", services, what, Size).items():
                self.size(service, services[service], section)
        else:
            # Without the release's own figures, what is wrong with the values alone can still be said.
            for service, section in self.named(root, "sizes", naming.SERVICES, "services", Size).items():
                self.keys(Size, section, f"sizes/{service}", {"memory": 0, "workers": 0})

    def load_release(self, releases: Releases) -> Release | None:
        """The release that the file names."""
        try:
            return releases.load(self.values["release"]) if "release" in self.values else None
        except ValueError as error:
            self.wrong("release", str(error))
        except ConfigError as error:
            self.wrong("release", f"cannot be used: {error.findings[0]}")
        return None

    def size(self, name: str, service: ReleaseService, section: Section) -> None:
        """Reads one service's size."""
        path = f"sizes/{name}"
        self.keys(Size, section, path, {"memory": service.memory, "workers": service.workers})
        memory = self.values.get(f"{path}/memory")
        if memory is not None and memory < service.memory_min:
            least = f"expected at least {service.memory_min}MiB"
            self.wrong(f"{path}/memory", f"{memory}MiB is too little for {name}, {least}")
        if "workers" in section.items and not service.workers and self.release:
            having = sorted(each for each, other in self.release.services.items() if other.workers)
            self.wrong(
                f"{path}/workers", f"{name} has no workers to choose, expected only for: {listed(having)}"
            )

    def within(self, fleet: Fleet) -> None:
        """Checks what two keys of the file, or a key and the fleet, say together."""
        lms, cms = (self.values.get(f"hosts/{each}") for each in ("lms", "cms"))
        if lms is not None and lms == cms:
            self.wrong("hosts/cms", f"'{cms}' is hosts/lms too, expected a host of its own")
        subnet = self.values.get("placement/subnet")
        if subnet and not subnet.subnet_of(fleet.pool):
            outside = f"'{subnet}' lies outside the fleet's pool, expected a /24 of {fleet.pool}"
            self.wrong("placement/subnet", outside)
        address = self.values.get("listen/address")
        if address and IPv4Address(address) in fleet.pool:
            inside = f"'{address}' lies in the fleet's pool {fleet.pool}, expected an address of the host"
            self.wrong("listen/address", inside)

    @property
    def claims(self) -> Claims:
        """What it claims for itself."""
        return Claims(tenant=self.name, values=self.values)

    def hidden(self) -> str:
        """Why its claims are not all known."""
        found = self.findings.ordered()
        heads = {path.partition("/")[0] for path in PATHS}
        return str(next((each for each in found if each.path.partition("/")[0] in heads), found[0]))

    def tenant(self) -> Tenant:
        """The whole; only when nothing is wrong."""
        assert self.release
        sizes = {
            name: Size(
                memory=self.values.get(f"sizes/{name}/memory", service.memory),
                workers=self.values.get(f"sizes/{name}/workers", service.workers),
            )
            for name, service in self.release.services.items()
        }
        made: Mapping[str, Any] = {"release": self.release, "sizes": MappingProxyType(sizes)}
        return build(Tenant, self.values, name=self.name, **made)


def _drafts(known: list[str], folder: Path, fleet: Fleet | None) -> dict[str, _Draft]:
    shared = fleet or Fleet.load(_HERE / "fleet.yml")
    releases = Releases(_HERE / "releases")
    drafts = {name: _Draft(name, folder) for name in known}
    for draft in drafts.values():
        draft.read(shared, releases)
    return drafts


def _collide(drafts: Mapping[str, _Draft]) -> None:
    for clash in clashes(draft.claims for draft in drafts.values()):
        drafts[clash.tenant].wrong(clash.path, clash.text)


def _undecided(others: Iterable[_Draft], folder: Path) -> list[str]:
    """What keeps collisions with others from being ruled out.

    A neighbour that cannot be read may have this tenant's subnet or port. To take its silence for consent would
    bring up two portals on one subnet the day it is mended, so it stops this tenant as well.
    """
    found = [
        f"{each.findings.file}: cannot be read, so collisions with it cannot be ruled out: {each.hidden()}"
        for each in others
        if not each.claims.complete
    ]
    more = (
        [f"{folder.name}: {len(found) - _MOST_BROKEN} more such files"] if len(found) > _MOST_BROKEN else []
    )
    return [*found[:_MOST_BROKEN], *more, *_misnamed(folder)]


def _misnamed(folder: Path) -> list[str]:
    return [
        f"{folder.name}/{path.name}: is not read, expected the ending '.yaml'"
        for path in sorted(folder.glob("*.yml"))
        if not path.name.startswith(("Pulumi.", "."))
    ][:_MOST_BROKEN]
