"""Reads and checks one tenant's file, by itself."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from config import names, yamlfile
from config.claims import PATHS, Claims
from config.errors import ConfigError
from config.fleet import Fleet
from config.keys import Reading, build
from config.nodes import Section
from config.release import Release, Releases, ReleaseService
from config.sections import Size
from config.words import listed, quoted

T = TypeVar("T")


class TenantFile(Reading):
    """What could be read of one tenant's file, and all that is wrong with it."""

    release: Release | None = None

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(f"{folder.name}/{quoted(name)[1:-1]}.yaml")
        self.name = name
        self.path = folder / f"{name}.yaml"

    def read(self, cls: type[Any], fleet: Fleet, releases: Releases) -> None:
        """Reads the keys that `cls` describes and checks the file by itself."""
        try:
            names.tenant(self.name)
        except ValueError as error:
            self.wrong("name", f"{error}, for example {names.EXAMPLE}")
        root = yamlfile.load(self.path, self.findings)
        if root:
            self.keys(cls, root)
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
            for service, section in self.named(root, "sizes", names.SERVICES, "services", Size).items():
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

    def sizes(self, release: Release) -> Mapping[str, Size]:
        """What each service of the release gets."""
        return MappingProxyType(
            {
                name: Size(
                    memory=self.values.get(f"sizes/{name}/memory", service.memory),
                    workers=self.values.get(f"sizes/{name}/workers", service.workers),
                )
                for name, service in release.services.items()
            }
        )

    def whole(self, cls: type[T]) -> T:
        """The tenant; only when nothing is wrong."""
        assert self.release
        made: Mapping[str, Any] = {"release": self.release, "sizes": self.sizes(self.release)}
        return build(cls, self.values, name=self.name, **made)
