"""An Open edX release as a set of services: data, not code (config/releases/<name>.yml)."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType

from config.reading import yamlfile
from config.reading.errors import ConfigError
from config.reading.keys import Reading, build, each, number, text, texts
from config.reading.words import comma_separated, did_you_mean, quoted
from config.releases import calls, pins
from config.releases.public_images import START_SECONDS, Hub, from_mirror, tagged
from config.values import checks, names
from config.values.networks import INSIDE

_GROUPS = ("openedx", "addons", "support", "data")


@dataclass(frozen=True, kw_only=True)
class ReleaseJob:
    """A container of a release that runs to its end, beside the services whose image it runs."""

    calls: tuple[str, ...] = field(
        metadata=texts(checks.word, "The services that it opens connections to.", "[mysql, redis]")
    )


@dataclass(frozen=True, kw_only=True)
class ReleaseService:
    """One service of a release, before a tenant sizes it. Memory in MiB, grace in seconds."""

    version: str = field(
        metadata=text(checks.version, "The version of its software that the release was made with.", "8.4.0")
    )
    opens: tuple[str, ...] = field(
        default=(),
        metadata=texts(
            checks.version, "Older versions (or their beginnings) whose files it opens.", "['8.0', '8.4']"
        ),
    )
    image: str = field(
        default="",
        metadata=text(
            checks.word, "The role whose image it runs (images/<role>); empty if there is none.", "mysql"
        ),
    )
    group: str = field(metadata=text(checks.OneOf(_GROUPS), "The group that it is shown in.", "data"))
    port: int = field(
        metadata=number(checks.Between(0, 65535), "Its port on the portal's networks; 0: none.", 3306)
    )
    networks: tuple[str, ...] = field(
        default=(),
        metadata=texts(
            checks.OneOf(INSIDE),
            "The portal's networks that it answers on; who calls it joins the first.",
            "[data]",
        ),
    )
    calls: tuple[str, ...] = field(
        default=(),
        metadata=texts(checks.word, "The services that it opens connections to.", "[mysql, redis]"),
    )
    user: int = field(
        metadata=number(
            checks.Between(1, 65533),
            "The numeric user and group that it runs as and that own its directories.",
            60999,
        )
    )
    memory: int = field(metadata=text(checks.memory, "Default memory limit.", "512MiB"))
    memory_min: int = field(metadata=text(checks.memory, "The least memory that starts it.", "256MiB"))
    memory_each: int = field(
        default=0, metadata=text(checks.memory, "What each process beyond `workers` needs more.", "96MiB")
    )
    workers: int = field(
        metadata=number(checks.Between(0, 64), "Default number of processes; 0: cannot be chosen.", 2)
    )
    queues: tuple[str, ...] = field(
        default=(),
        metadata=texts(
            checks.queue, "The Celery queues that it takes tasks of.", "[default, high, high_mem]"
        ),
    )
    grace_seconds: int = field(
        metadata=number(checks.Between(1, 86400), "Seconds between SIGTERM and SIGKILL.", 30)
    )
    data: tuple[str, ...] = field(
        metadata=texts(checks.word, "The directories of the drive that belong to it.", "[mysql]")
    )
    hub: Hub = field(default_factory=Hub)

    def usual_memory(self, source: str, workers: int = 0) -> int:
        """Its limit with the images of that source and so many processes, unless the tenant says otherwise."""
        return ((source == "hub" and self.hub.memory) or self.memory) + self._more(source, workers)

    def least_memory(self, source: str, workers: int = 0) -> int:
        """MiB without which so many processes do not start, or reload, with the images of that source."""
        return ((source == "hub" and self.hub.memory_min) or self.memory_min) + self._more(source, workers)

    def _more(self, source: str, workers: int) -> int:
        each = (source == "hub" and self.hub.memory_each) or self.memory_each
        return each * max(0, workers - self.workers)

    def start_seconds(self, source: str) -> int:
        """Seconds of its start in which a failed probe counts for nothing, with the images of that source."""
        return self.hub.start_seconds if source == "hub" else START_SECONDS

    def owner(self, source: str) -> int:
        """The user that runs it and owns its directories, with the images of that source."""
        return (source == "hub" and self.hub.user) or self.user


@dataclass(frozen=True, kw_only=True)
class Release:
    """A named set of services."""

    name: str
    title: str = field(
        metadata=text(checks.title, "Name of the release, and its month.", "Redwood (June 2024)")
    )
    follows: tuple[str, ...] = field(
        metadata=texts(checks.word, "The releases that a portal may have had before.", "[juniper]")
    )
    cache: str = field(
        metadata=text(
            checks.class_path,
            "The class by which Open edX talks to its cache.",
            "django.core.cache.backends.memcached.PyMemcacheCache",
        )
    )
    unpackaged: str = field(
        default="",
        metadata=text(
            checks.title, "Why there is no portal of it with images built here.", "no package has Meilisearch"
        ),
    )
    support_ends: date = field(
        metadata=text(
            checks.day,
            "The day on which Open edX ends its support: that of the next release, planned while it lies ahead.",
            "2024-12-16",
        )
    )
    support_source: str = field(
        metadata=text(
            checks.https,
            "The page that says so.",
            "https://docs.openedx.org/en/latest/community/release_notes",
        )
    )
    lacks: tuple[str, ...] = field(
        default=(),
        metadata=texts(
            str, "What nobody can do in a portal of its public images.", "[Learners open no course.]"
        ),
    )
    python: str = field(
        default="",
        metadata=text(
            tagged,
            "The image whose Python runs the configurator inside public openedx images.",
            "docker.io/library/python:3.11.9-slim-bullseye",
        ),
    )
    notes: tuple[str, ...] = field(
        default=(), metadata=texts(str, "Notes for an operator who upgrades to it.", "[Slow.]")
    )
    services: Mapping[str, ReleaseService] = field(
        metadata=each("The services of the release, by the name of container and network alias.", "lms")
    )
    jobs: Mapping[str, ReleaseJob] = field(
        default_factory=dict,
        metadata=each("What its jobs call; one that calls nothing has no network.", "edxapp-migrations"),
    )

    # Of config/pins.yml; empty while it has none. And config/fleet.yml's.
    python_digest: str = ""
    mirror: str = ""

    @property
    def pinned_python(self) -> str:
        """The image of `python` by tag and digest; empty while it has no digest."""
        return f"{from_mirror(self.python, self.mirror)}@{self.python_digest}" if self.python_digest else ""

    @property
    def derives(self) -> bool:
        """Whether an image is built here on top of one of its public ones."""
        return any(each.hub.derived for each in self.services.values())

    def left_out(self, source: str, own_images: Container[str]) -> frozenset[str]:
        """The services that a portal with images of that source does without: none is built here, and it has none of its own.

        Where `unpackaged` says why, there is no portal of images built here at all.
        """
        without = [] if source == "hub" or self.unpackaged else self.services.items()
        return frozenset(name for name, each in without if not each.image and name not in own_images)

    def public(self) -> list[str]:
        """The public images that it names, by tag."""
        images = {each.hub.image for each in self.services.values() if each.hub.image}
        return sorted(images | ({self.python} if self.derives else set()))

    @classmethod
    def load(
        cls, name: str, folder: Path, digests: Mapping[str, str] | None = None, mirror: str = ""
    ) -> Release:
        """The release of `folder/<name>.yml`, public images with their `digests`, of a mirror; raises ConfigError."""
        reading = Reading(f"{folder.parent.name}/{folder.name}/{name}.yml")
        root = yamlfile.load(folder / f"{name}.yml", reading.findings, folder.parent.parent)
        services: dict[str, ReleaseService] = {}
        jobs: dict[str, ReleaseJob] = {}
        if root:
            reading.keys(cls, root)
            sections = reading.named(root, "services", names.SERVICES, "services", ReleaseService)
            for service, section in sections.items():
                reading.keys(ReleaseService, section, f"services/{service}")
            _check_sizes(reading, sections)
            _check_owners(reading, sections)
            _check_images(reading, sections)
            tasks = reading.named(root, "jobs", names.JOBS, "jobs", ReleaseJob)
            for task, section in tasks.items():
                reading.keys(ReleaseJob, section, f"jobs/{task}")
            calls.check(reading, sections, tasks)
            if not sections and not len(reading.findings):
                reading.wrong("services", "has no service, expected at least one, for example lms")
            reading.findings.raise_any()
            services = {
                each: _with_pin(
                    build(ReleaseService, reading.values, f"services/{each}"), digests or {}, mirror
                )
                for each in sections
            }
            jobs = {each: build(ReleaseJob, reading.values, f"jobs/{each}") for each in tasks}
        reading.findings.raise_any()
        return build(
            cls,
            reading.values,
            name=name,
            services=MappingProxyType(services),
            jobs=MappingProxyType(jobs),
            python_digest=(digests or {}).get(reading.values["python"], ""),
            mirror=mirror,
        )


class Releases:
    """The releases of a folder, each read once: a thousand tenants share a few.

    The digests of public images are those of pins.yml beside the folder, unless given. `mirror` is where docker.io's are
    taken from instead.
    """

    def __init__(self, folder: Path, digests: Mapping[str, str] | None = None, mirror: str = "") -> None:
        self.folder = folder
        self.mirror = mirror
        self._read: dict[str, Release | ConfigError] = {}
        self._digests = digests

    def known(self) -> list[str]:
        """Their names, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.yml"))

    def load(self, name: str) -> Release:
        """The release of that name; raises ConfigError when its file is wrong, ValueError when it has none."""
        if name not in self._read:
            known = self.known()
            if name not in known:
                guess = did_you_mean(name, known) or ";"
                raise ValueError(
                    f"{quoted(name)} is not a release{guess} there are: {comma_separated(known)}"
                )
            try:
                if self._digests is None:
                    self._digests = pins.load(self.folder.parent / pins.NAME)
                self._read[name] = Release.load(name, self.folder, self._digests, self.mirror)
            except ConfigError as error:
                self._read[name] = error
        release = self._read[name]
        if isinstance(release, ConfigError):
            raise release
        return release

    def public(self) -> list[str]:
        """Every public image that a release names, by tag. Raises ConfigError."""
        return sorted({image for each in self.all().values() for image in each.public()})

    def all(self) -> dict[str, Release]:
        """Every release by name. Raises ConfigError."""
        return {name: self.load(name) for name in self.known()}


def _with_pin(service: ReleaseService, digests: Mapping[str, str], mirror: str) -> ReleaseService:
    hub = replace(service.hub, digest=digests.get(service.hub.image, ""), mirror=mirror)
    return replace(service, hub=hub)


def _check_sizes(reading: Reading, services: Mapping[str, object]) -> None:
    for service in services:
        path = f"services/{service}"
        hub = [f"{path}/hub" for key in ("memory_min", "memory") if reading.values.get(f"{path}/hub/{key}")]
        for here in (path, *hub[:1]):
            least, usual = (
                reading.values.get(f"{here}/{key}") or reading.values.get(f"{path}/{key}")
                for key in ("memory_min", "memory")
            )
            if least and usual and least > usual:
                reading.wrong(
                    f"{here}/memory_min", f"{least}MiB is more than memory, expected at most {usual}MiB"
                )


def _check_owners(reading: Reading, services: Mapping[str, object]) -> None:
    owners: dict[str, str] = {}
    for service in services:
        path = f"services/{service}/data"
        for directory in reading.values.get(path, ()):
            if directory != service and directory not in names.DIRECTORIES:
                known = comma_separated([service, *sorted(names.DIRECTORIES)])
                reading.wrong(
                    path, f"{quoted(directory)} is not a directory of {service}, expected one of: {known}"
                )
            if directory in owners:
                reading.wrong(path, f"{quoted(directory)} belongs to {owners[directory]}, expected one owner")
            owners.setdefault(directory, service)


def _check_images(reading: Reading, services: Mapping[str, object]) -> None:
    for service in services:
        path = f"services/{service}"
        role, public = (reading.values.get(f"{path}/{key}") for key in ("image", "hub/image"))
        if role == "" and public == "":
            reading.wrong(
                f"{path}/image", "is missing and so is hub/image, expected at least one, for example 'mysql'"
            )
    if reading.values.get("python") == "" and any(
        reading.values.get(f"services/{service}/hub/derived") for service in services
    ):
        reading.wrong(
            "python", "is missing, but an image is built on a public one (hub/derived), expected its image"
        )
