"""One tenant: what its file says, checked whole, immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from types import MappingProxyType

import yaml

from config.errors import ConfigError
from config.release import Release


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """The names under which browsers reach the portal."""

    lms: str
    cms: str


@dataclass(frozen=True, kw_only=True)
class Listen:
    """Where the load balancer listens on its host, plain HTTP."""

    address: str = "127.0.0.1"
    port: int


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Which engine runs the portal ("" = that of DOCKER_HOST or the local socket), and in which subnet."""

    docker_host: str = ""
    subnet: IPv4Network


@dataclass(frozen=True, kw_only=True)
class Storage:
    """Where the drive is mounted on every host."""

    root: str = "/srv/portals"


@dataclass(frozen=True, kw_only=True)
class Admin:
    """The portal's first administrator."""

    email: str
    username: str = "admin"


@dataclass(frozen=True, kw_only=True)
class Size:
    """A service's memory limit in MiB and its processes; 0 where it has none to choose."""

    memory: int
    workers: int


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """Everything a portal is made from."""

    name: str
    title: str
    release: Release
    images: str
    hosts: Hosts
    listen: Listen
    placement: Placement
    storage: Storage
    admin: Admin
    sizes: Mapping[str, Size]

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
    def load(cls, name: str, folder: Path) -> Tenant:
        """The tenant of `folder/<name>.yaml`, checked against every other tenant there; raises ConfigError."""
        try:
            data = yaml.safe_load((folder / f"{name}.yaml").read_text())
        except (OSError, yaml.YAMLError) as error:
            raise ConfigError(f"{folder.name}/{name}.yaml: {error}") from None
        release = Release.load(data.get("release", "redwood"), Path(__file__).with_name("releases"))
        sizes = {key: Size(memory=each.memory, workers=each.workers) for key, each in release.services.items()}
        for service, given in data.get("sizes", {}).items():
            memory, workers = given.get("memory"), given.get("workers", sizes[service].workers)
            sizes[service] = Size(memory=_mebibytes(memory) or sizes[service].memory, workers=workers)
        placement = data["placement"]
        return cls(
            name=name,
            title=data["title"],
            release=release,
            images=data.get("images", "packages"),
            hosts=Hosts(**data["hosts"]),
            listen=Listen(**data["listen"]),
            placement=Placement(**{**placement, "subnet": IPv4Network(placement["subnet"])}),
            storage=Storage(**data.get("storage", {})),
            admin=Admin(**data["admin"]),
            sizes=MappingProxyType(sizes),
        )


def names(folder: Path) -> list[str]:
    """The tenants of a folder, sorted. `Pulumi.<tenant>.yaml` is the CLI's, not a tenant."""
    return sorted(path.stem for path in folder.glob("*.yaml") if not path.name.startswith("Pulumi."))


def _mebibytes(text: str | None) -> int:
    if not text:
        return 0
    return int(text[:-3]) * (1024 if text.endswith("GiB") else 1)
