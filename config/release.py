"""An Open edX release as a set of services: data, not code (config/releases/<name>.yml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from config import checks, names, yamlfile
from config.errors import ConfigError
from config.keys import Reading, build, each, number, text, texts
from config.words import listed, meant, quoted

_GROUPS = ("openedx", "addons", "support", "data")


@dataclass(frozen=True, kw_only=True)
class ReleaseService:
    """One service of a release, before a tenant sizes it. Memory in MiB, grace in seconds."""

    image: str = field(metadata=text(checks.word, "The role whose image it runs (images/<role>).", "mysql"))
    group: str = field(metadata=text(checks.one_of(*_GROUPS), "The group that it is shown in.", "data"))
    port: int = field(
        metadata=number(
            checks.between(0, 65535), "Where it listens on the portal's private network; 0 for nowhere.", 3306
        )
    )
    user: int = field(
        metadata=number(
            checks.between(1, 65533),
            "The numeric user and group that it runs as and that own its directories.",
            1999,
        )
    )
    memory: int = field(metadata=text(checks.memory, "Its limit unless the tenant says otherwise.", "512MiB"))
    memory_min: int = field(metadata=text(checks.memory, "The least memory that starts it.", "256MiB"))
    workers: int = field(
        metadata=number(
            checks.between(0, 64), "Its processes unless the tenant says otherwise; 0 for none to choose.", 2
        )
    )
    grace_seconds: int = field(
        metadata=number(checks.between(1, 86400), "Seconds between SIGTERM and SIGKILL.", 30)
    )
    data: tuple[str, ...] = field(
        metadata=texts(checks.word, "The directories of the drive that belong to it.", "[mysql]")
    )


@dataclass(frozen=True, kw_only=True)
class Release:
    """A named set of services."""

    name: str
    title: str = field(
        metadata=text(checks.title, "What people call the release, and its month.", "Redwood (June 2024)")
    )
    services: Mapping[str, ReleaseService] = field(
        metadata=each("The services of the release, by the name of container and network alias.", "lms")
    )

    @classmethod
    def load(cls, name: str, folder: Path) -> Release:
        """The release of `folder/<name>.yml`; raises ConfigError."""
        reading = Reading(f"{folder.parent.name}/{folder.name}/{name}.yml")
        root = yamlfile.load(folder / f"{name}.yml", reading.findings)
        services: dict[str, ReleaseService] = {}
        if root:
            reading.keys(cls, root)
            sections = reading.named(root, "services", names.SERVICES, "services", ReleaseService)
            for service, section in sections.items():
                reading.keys(ReleaseService, section, f"services/{service}")
            _sized(reading, sections)
            _owned(reading, sections)
            if not sections and not len(reading.findings):
                reading.wrong("services", "has no service, expected at least one, for example lms")
            reading.findings.raise_any()
            services = {each: build(ReleaseService, reading.values, f"services/{each}") for each in sections}
        reading.findings.raise_any()
        return build(cls, reading.values, name=name, services=MappingProxyType(services))


class Releases:
    """The releases of a folder, each read once: a thousand tenants share a few."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, Release | ConfigError] = {}

    def known(self) -> list[str]:
        """Their names, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.yml"))

    def load(self, name: str) -> Release:
        """The release of that name; raises ConfigError when its file is wrong, ValueError when it has none."""
        if name not in self._read:
            known = self.known()
            if name not in known:
                guess = meant(name, known) or ";"
                raise ValueError(f"{quoted(name)} is no release{guess} there are: {listed(known)}")
            try:
                self._read[name] = Release.load(name, self.folder)
            except ConfigError as error:
                self._read[name] = error
        found = self._read[name]
        if isinstance(found, ConfigError):
            raise found
        return found


def _sized(reading: Reading, services: Mapping[str, object]) -> None:
    for service in services:
        path = f"services/{service}"
        least, usual = (reading.values.get(f"{path}/{key}") for key in ("memory_min", "memory"))
        if least and usual and least > usual:
            reading.wrong(
                f"{path}/memory_min", f"{least}MiB is more than memory, expected at most {usual}MiB"
            )


def _owned(reading: Reading, services: Mapping[str, object]) -> None:
    owners: dict[str, str] = {}
    for service in services:
        path = f"services/{service}/data"
        for directory in reading.values.get(path, ()):
            if directory != service and directory not in names.DIRECTORIES:
                known = listed([service, *sorted(names.DIRECTORIES)])
                reading.wrong(path, f"'{directory}' is no directory of {service}, expected one of: {known}")
            if directory in owners:
                reading.wrong(path, f"'{directory}' belongs to {owners[directory]}, expected one owner")
            owners.setdefault(directory, service)
