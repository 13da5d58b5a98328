"""Reads and checks one tenant's file, by itself."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from config.reading import yamlfile
from config.reading.errors import ConfigError
from config.reading.keys import Key, Reading, build
from config.reading.nodes import Section
from config.reading.words import comma_separated, quoted
from config.releases import public_images
from config.releases.release import Release, Releases, ReleaseService
from config.tenant import own_settings, worker_groups
from config.tenant.claims import PATHS, Claims
from config.tenant.fleet import Fleet
from config.tenant.sections import Size
from config.values import names

T = TypeVar("T")
OWN_IMAGE = Key(
    kind="text",
    check=public_images.pinned,
    doc="An image of any registry, by digest.",
    example=f"registry.acme.example/forum@sha256:{'0' * 64}",
)


class TenantFile(Reading):
    """What could be read of one tenant's file, and all that is wrong with it."""

    release: Release | None = None
    releases: Releases | None = None

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(f"{folder.name}/{quoted(name)[1:-1]}.yaml")
        self.name = name
        self.own_images: dict[str, str] = {}
        self.own_settings: dict[str, dict[str, Any]] = {}
        self.groups: list[str] = []
        self.path = folder / f"{name}.yaml"

    def read(self, cls: type[Any], fleet: Fleet, releases: Releases) -> None:
        """Reads the keys that `cls` describes and checks the file by itself."""
        try:
            names.tenant(self.name)
        except ValueError as error:
            self.wrong("name", f"{error}, for example {names.EXAMPLE}")
        root = yamlfile.load(self.path, self.findings, self.path.parent.parent)
        if root:
            self.keys(cls, root)
            self.own_settings = {key: own_settings.read(self, root, key) for key in own_settings.KEYS}
            self.check_release(root, releases)
            self.check_together(fleet)

    def check_release(self, root: Section, releases: Releases) -> None:
        """Checks what depends on the release."""
        self.release = self.load_release(releases)
        self.releases = releases
        known = self.release.services if self.release else names.SERVICES
        what = f"services of {self.release.name}" if self.release else "services"
        self.own_images = self.named_texts(root, "service_images", known, what, OWN_IMAGE)
        if self.release:
            without = self.release.left_out(self.values.get("images", "hub"), self.own_images)
            services = {name: each for name, each in self.release.services.items() if name not in without}
            self.check_images(self.release)
            for service, section in self.named(root, "sizes", services, what, Size).items():
                self.size(service, services[service], section)
        else:
            # Without the release's own figures, what is wrong with the values alone can still be said.
            for service, section in self.named(root, "sizes", names.SERVICES, "services", Size).items():
                self.keys(Size, section, f"sizes/{service}", {"memory": 0, "workers": 0})
        self.groups = worker_groups.read(self, root, self.release, self.values.get("images", ""))

    def load_release(self, releases: Releases) -> Release | None:
        """The release that the file names."""
        try:
            return releases.load(self.values["release"]) if "release" in self.values else None
        except ValueError as error:
            self.wrong("release", str(error))
        except ConfigError as error:
            self.wrong("release", f"cannot be used: {error.findings[0]}")
        return None

    def check_images(self, release: Release) -> None:
        """Checks that the image source has what the release needs."""
        source = self.values.get("images")
        needed = {name: each for name, each in release.services.items() if name not in self.own_images}
        if source == "packages" and release.unpackaged:
            lacking = sorted(name for name, each in needed.items() if not each.image)
            if lacking:
                self.wrong(
                    "images",
                    f"'packages' has no {comma_separated(lacking)} of {release.name} ({release.unpackaged}), "
                    "expected 'hub', or these among service_images",
                )
        if source != "hub" and self.values.get("openedx"):
            self.wrong("openedx", f"is only for images 'hub', expected none for '{source}'")
        if source == "hub":
            own = self.values.get("openedx")
            loose = sorted(
                {
                    each.hub.image
                    for each in needed.values()
                    if each.hub.image
                    and not each.hub.digest
                    and not (own and each.hub.derived == public_images.OPENEDX)
                }
            )
            if not release.pinned_python and any(each.hub.derived for each in needed.values()):
                loose.append(release.python)
            if loose:
                self.wrong(
                    "images",
                    f"'hub' has no digest for {loose[0]}"
                    + (f" and {len(loose) - 1} more" if len(loose) > 1 else "")
                    + f", expected all in config/pins.yml: run `./portal images pin {release.name}` "
                    "on a machine that reaches the registries",
                )

    def size(self, name: str, service: ReleaseService, section: Section) -> None:
        """Reads one service's size."""
        path = f"sizes/{name}"
        self.keys(Size, section, path, {"memory": self.memory(service), "workers": service.workers})
        workers = self.values.get(f"{path}/workers", service.workers)
        source = self.values.get("images", "")
        if "memory" not in section.items:
            self.values[f"{path}/memory"] = service.usual_memory(source, workers)
        memory = self.values.get(f"{path}/memory")
        needed = service.least_memory(source, workers)
        if memory is not None and memory < needed:
            what = name if workers <= service.workers else f"{name} with {workers} workers"
            self.wrong(
                f"{path}/memory", f"{memory}MiB is too little for {what}, expected at least {needed}MiB"
            )
        if "workers" in section.items and not service.workers and self.release:
            having = sorted(each for each, other in self.release.services.items() if other.workers)
            self.wrong(
                f"{path}/workers",
                f"{name} has no workers to choose, expected only for: {comma_separated(having)}",
            )

    def memory(self, service: ReleaseService) -> int:
        """What a service with its release's processes gets unless the file says otherwise."""
        return service.usual_memory(self.values.get("images", ""))

    def check_together(self, fleet: Fleet) -> None:
        """Checks what two keys of the file, or a key and the fleet, say together."""
        # Open edX calls a part of itself by these; they are no keys.
        services = {host: f"{service} below hosts/lms" for service, host in self.claims.derived.items()}
        for path in ("hosts/lms", "hosts/cms", "hosts/mail"):
            host = self.values.get(path)
            if host in services:
                self.wrong(path, f"'{host}' is {services[host]} too, expected a host of its own")
            elif host:
                services[host] = path
        self.mail()
        subnet = self.values.get("placement/subnet")
        if subnet and not subnet.subnet_of(fleet.pool):
            outside = f"'{subnet}' lies outside the fleet's pool, expected a /24 of {fleet.pool}"
            self.wrong("placement/subnet", outside)
        address = self.values.get("listen/address")
        if address and IPv4Address(address) in fleet.pool:
            inside = f"'{address}' lies in the fleet's pool {fleet.pool}, expected an address of the host"
            self.wrong("listen/address", inside)

    def mail(self) -> None:
        """Checks that the way of the mail is told whole, and no other."""
        delivery = self.values.get("mail/delivery")
        for path, chosen_delivery, example in (
            ("hosts/mail", "sink", "mail.acme.com"),
            ("mail/smarthost", "smarthost", "smtp.example.com:587"),
            ("mail/username", "smarthost", "portal@acme.com"),
        ):
            # What is wrong in itself has been told.
            if delivery is None or path not in self.values:
                continue
            if delivery == chosen_delivery and not self.values[path]:
                self.wrong(
                    path, f"is missing for mail/delivery '{delivery}', expected text, for example '{example}'"
                )
            elif delivery != chosen_delivery and self.values[path]:
                self.wrong(
                    path, f"is only for mail/delivery '{chosen_delivery}', expected none for '{delivery}'"
                )

    @property
    def claims(self) -> Claims:
        """What it claims for itself."""
        # As Tenant.real.
        source = self.values.get("images", "hub")
        real = source == "hub" or "lms" in self.own_images
        services = (
            self.release.services.keys() - self.release.left_out(source, self.own_images)
            if self.release
            else ()
        )
        return Claims(
            tenant=self.name,
            values=self.values,
            services=(*sorted(services), *(("preview",) if real else ())),
        )

    def why_incomplete(self) -> str:
        """Why its claims are not all known."""
        findings = self.findings.ordered()
        heads = {path.partition("/")[0] for path in PATHS}
        return str(next((each for each in findings if each.path.partition("/")[0] in heads), findings[0]))

    def sizes(self, release: Release) -> Mapping[str, Size]:
        """What each service of the release gets."""
        return MappingProxyType(
            {
                name: Size(
                    memory=self.values.get(f"sizes/{name}/memory", self.memory(service)),
                    workers=self.values.get(f"sizes/{name}/workers", service.workers),
                )
                for name, service in release.services.items()
            }
        )

    def build_tenant(self, cls: type[T]) -> T:
        """The tenant; only when nothing is wrong."""
        assert self.release
        assert self.releases
        made: Mapping[str, Any] = {
            "release": self.release,
            "sizes": self.sizes(self.release),
            "service_images": MappingProxyType(self.own_images),
            **{key: MappingProxyType(setting) for key, setting in self.own_settings.items()},
            "worker_groups": MappingProxyType(worker_groups.build_groups(self, self.groups)),
            "releases": self.releases.all(),
        }
        return build(cls, self.values, name=self.name, **made)
