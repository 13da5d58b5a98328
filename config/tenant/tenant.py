"""One tenant: what its file says, checked whole, immutable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from config.reading import checkout
from config.reading.errors import ConfigError
from config.reading.keys import each, text
from config.reading.words import comma_separated, did_you_mean, quoted
from config.releases import public_images, upgrades
from config.releases.release import Release, Releases, ReleaseService
from config.releases.upgrades import DeployedRelease
from config.tenant import worker_groups
from config.tenant.claims import clashes
from config.tenant.fleet import Fleet
from config.tenant.sections import Admin, Hosts, Listen, Mail, Placement, Size, Storage, WorkerGroup
from config.tenant.tenant_file import TenantFile
from config.values import checks
from config.values import names as naming

__all__ = [
    "Admin",
    "Hosts",
    "Listen",
    "Mail",
    "Placement",
    "Size",
    "Storage",
    "Tenant",
    "load_all",
    "load_valid",
    "names",
]

_HERE = Path(__file__).parents[1]
# More broken neighbours than these need no naming one by one.
_MOST_BROKEN = 20


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """Everything a portal is made from."""

    name: str
    title: str = field(
        metadata=text(checks.title, "Title of the portal, shown on its pages.", "Demo University")
    )
    release: Release = field(
        metadata=text(
            checks.word, "The Open edX release, one of config/releases.", "redwood", default="redwood"
        )
    )
    images: str = field(
        default="packages",
        metadata=text(
            checks.OneOf(("packages", "hub")),
            "Where images come from: packages (built here) or hub (public registries).",
            "packages",
        ),
    )
    service_images: Mapping[str, str] = field(
        default_factory=dict,
        metadata=each(
            "Images of single services from any registry, by digest; they must keep the contract of docs/images.md.",
            "lms",
        ),
    )
    openedx: str = field(
        default="",
        metadata=text(
            checks.OrNothing(public_images.pinned),
            "An openedx image of your own by digest (theme, XBlocks, requirements), in place of the public one.",
            f"registry.acme.example/openedx@sha256:{'0' * 64}",
        ),
    )
    hosts: Hosts
    listen: Listen
    placement: Placement
    storage: Storage
    admin: Admin
    mail: Mail
    sizes: Mapping[str, Size] = field(
        default_factory=dict,
        metadata=each("Sizes of services, if they differ from the release's.", "lms"),
    )
    worker_groups: Mapping[str, WorkerGroup] = field(
        default_factory=dict,
        metadata=each(
            "Workers of some queues in their own containers, so that a heavy task does not slow others.",
            "lms",
        ),
    )
    features: Mapping[str, Any] = field(
        default_factory=dict,
        metadata=each("Features of Open edX (FEATURES), set by the operator.", "lms"),
    )
    settings: Mapping[str, Any] = field(
        default_factory=dict,
        metadata=each(
            "Settings of Open edX for lms and cms, by Open edX's own names, set by the operator.", "lms"
        ),
    )
    # All that there are: which of them this one may follow.
    releases: Mapping[str, Release] = field(default_factory=dict, compare=False, repr=False)

    @property
    def services(self) -> Mapping[str, ReleaseService]:
        """The services that this portal has: the release's, without those that its choices leave out."""
        left_out = set(self.release.left_out(self.images, self.service_images))
        if self.mail.delivery != "sink":
            left_out.add("mail-sink")
        return MappingProxyType(
            {name: service for name, service in self.release.services.items() if name not in left_out}
        )

    @property
    def sender_domains(self) -> tuple[str, ...]:
        """The domains that the portal's mail comes from, the first being its own."""
        return self.mail.domains or (self.hosts.lms,)

    @property
    def directory(self) -> str:
        """The portal's directory on the drive."""
        return f"{self.storage.root}/{self.name}"

    @property
    def stays_up(self) -> tuple[str, ...]:
        """Every container that is to be up, by the name of its service."""
        return (*self.services, *self.worker_groups)

    @property
    def workers(self) -> Mapping[str, WorkerGroup]:
        """Every container that does tasks, by the name of its service: the release's own, then the groups."""
        own = {
            name: WorkerGroup(
                queues=worker_groups.remaining_queues(name, self.release, self.worker_groups),
                memory=self.sizes[name].memory,
                workers=self.sizes[name].workers,
                grace_seconds=self.release.services[name].grace_seconds,
            )
            for name in naming.WORKERS
        }
        return {**own, **self.worker_groups}

    @property
    def wanted_release(self) -> DeployedRelease:
        """What the portal's data is to belong to."""
        return DeployedRelease(release=self.release.name, images=self.images)

    def require_upgrade_path(self, now: DeployedRelease | None) -> None:
        """Raises ConfigError with the remedy when a portal that has `now` may not become this."""
        why = upgrades.why_refused(now, self.wanted_release, self.releases)
        if why:
            raise ConfigError(f"tenants/{self.name}.yaml: {why}")

    @property
    def predecessors(self) -> tuple[DeployedRelease, ...]:
        """What the portal's data may belong to when this takes it over."""
        return upgrades.before(self.wanted_release, self.releases)

    def source(self, service: str) -> str:
        """Where a service's image comes from: `packages`, `hub`, or `own` for one that the tenant names."""
        if service in self.service_images:
            return "own"
        return self.images if self.release.services[service].hub.image else "packages"

    def least_memory(self, container: str) -> int:
        """MiB without which a container that stays up does not start, by the name of its service or worker group."""
        group = self.worker_groups.get(container)
        service = worker_groups.service(container) if group else container
        workers = group.workers if group else self.sizes[service].workers
        return self.release.services[service].least_memory(self.images, workers)

    @property
    def start_seconds(self) -> int:
        """Seconds that the slowest of its services may take to start."""
        return max(each.start_seconds(self.source(name)) for name, each in self.services.items())

    def public_image(self, service: str) -> str:
        """What a service with the source `hub` runs or is derived from, by digest: the release's, or the tenant's `openedx`."""
        hub = self.release.services[service].hub
        return self.openedx if self.openedx and hub.derived == public_images.OPENEDX else hub.pinned

    @property
    def real(self) -> bool:
        """Whether it runs edx-platform itself: the image built here is a stand-in."""
        return self.source("lms") != "packages"

    @classmethod
    def load(
        cls, name: str, folder: Path, fleet: Fleet | None = None, releases: Releases | None = None
    ) -> Tenant:
        """The tenant of `folder/<name>.yaml`, checked against all others there; raises ConfigError.

        The error names all that is wrong with this tenant, in the order of its file. What is wrong with another
        tenant's file is no matter here, unless it hides what that tenant claims for itself. Fleet and releases
        are those of config/ unless given.
        """
        file = f"{folder.name}/{name}.yaml"
        try:
            naming.tenant(name)
        except ValueError as error:
            raise ConfigError(f"{quoted(file)[1:-1]}: name: {error}, for example {naming.EXAMPLE}") from None
        known = names(folder)
        if name not in known:
            guess = did_you_mean(name, known) or ";"
            raise ConfigError(f"{file}: does not exist{guess} tenants there: {comma_separated(known)}")
        files = _read(known, folder, fleet, releases)
        own = files[name]
        _collide(files)
        broken = _unreadable_neighbours((each for each in files.values() if each is not own), folder)
        # The CLI reads a stack's settings, and writes to them: through a link it would write to what is not the checkout's.
        unsettled = settings_refusal(name, folder)
        if own.findings or broken or unsettled:
            raise ConfigError(*own.findings.lines(), *broken, *([unsettled] if unsettled else []))
        return own.build_tenant(cls)


def load_all(folder: Path, fleet: Fleet | None = None) -> dict[str, Tenant]:
    """All tenants of a folder by name, checked against each other; raises ConfigError with all that is wrong."""
    files = _read(names(folder), folder, fleet)
    _collide(files)
    wrong = [line for each in files.values() for line in each.findings.lines()]
    if wrong or (wrong := _misnamed_files(folder)):
        raise ConfigError(*wrong)
    return {name: file.build_tenant(Tenant) for name, file in files.items()}


def load_valid(
    folder: Path, fleet: Fleet | None = None, releases: Releases | None = None
) -> tuple[dict[str, Tenant], tuple[str, ...]]:
    """The tenants of a folder that could come up, by name, and what is wrong with the others: each file read once."""
    files = _read(names(folder), folder, fleet, releases)
    _collide(files)
    wrong = [line for each in files.values() for line in each.findings.lines()]
    undecided = _unreadable_neighbours(files.values() if len(files) > 1 else (), folder)
    # What cannot be ruled out stops every tenant, as it does each by itself.
    right = {} if undecided else {name: each for name, each in files.items() if not each.findings}
    return {name: each.build_tenant(Tenant) for name, each in right.items()}, (*wrong, *undecided)


def names(folder: Path) -> list[str]:
    """The tenants of a folder, sorted. `Pulumi.<tenant>.yaml` is the CLI's, and a leading dot an editor's."""
    return sorted(path.stem for path in folder.glob("*.yaml") if not path.name.startswith(("Pulumi.", ".")))


def settings_refusal(name: str, folder: Path) -> str:
    """Why the CLI may not have a tenant's settings (`Pulumi.<tenant>.yaml`): a link leads out of the checkout; else empty."""
    path = folder / f"Pulumi.{name}.yaml"
    reason = checkout.refusal(path, folder.parent)
    return f"{folder.name}/{path.name}: cannot be read: {reason}" if reason else ""


def _read(
    known: list[str], folder: Path, fleet: Fleet | None, releases: Releases | None = None
) -> dict[str, TenantFile]:
    shared = fleet or Fleet.load(_HERE / "fleet.yml")
    every = releases or Releases(_HERE / "releases", mirror=shared.mirror)
    files = {name: TenantFile(name, folder) for name in known}
    for file in files.values():
        file.read(Tenant, shared, every)
    return files


def _collide(files: Mapping[str, TenantFile]) -> None:
    for clash in clashes(file.claims for file in files.values()):
        files[clash.tenant].wrong(clash.path, clash.text)


def _unreadable_neighbours(others: Iterable[TenantFile], folder: Path) -> list[str]:
    """What keeps collisions with others from being ruled out.

    A neighbour that cannot be read may have this tenant's subnet or port. To take its silence for consent would
    bring up two portals on one subnet the day it is mended, so it stops this tenant as well.
    """
    problems = [
        f"{each.findings.file}: has an error, so nobody can say whether two tenants collide: {each.why_incomplete()}"
        for each in others
        if not each.claims.complete
    ]
    more = (
        [f"{folder.name}: {len(problems) - _MOST_BROKEN} more such files"]
        if len(problems) > _MOST_BROKEN
        else []
    )
    return [*problems[:_MOST_BROKEN], *more, *_misnamed_files(folder)]


def _misnamed_files(folder: Path) -> list[str]:
    return [
        f"{folder.name}/{path.name}: is ignored, expected the ending '.yaml'"
        for path in sorted(folder.glob("*.yml"))
        if not path.name.startswith(("Pulumi.", "."))
    ][:_MOST_BROKEN]
