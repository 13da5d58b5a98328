"""An Open edX release as a set of services: data, not code (config/releases/<name>.yml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import yaml


@dataclass(frozen=True, kw_only=True)
class ReleaseService:
    """One service of a release, before a tenant sizes it. Memory in MiB, grace in seconds."""

    image: str
    group: str
    port: int
    user: int
    memory: int
    memory_min: int
    workers: int
    grace_seconds: int
    data: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Release:
    """A named set of services."""

    name: str
    title: str
    services: Mapping[str, ReleaseService]

    @classmethod
    def load(cls, name: str, folder: Path) -> Release:
        """The release of `folder/<name>.yml`; raises ConfigError."""
        data = yaml.safe_load((folder / f"{name}.yml").read_text())
        services = {}
        for service, given in data["services"].items():
            sizes = {key: int(given[key].removesuffix("MiB")) for key in ("memory", "memory_min")}
            services[service] = ReleaseService(**{**given, **sizes, "data": tuple(given["data"])})
        return cls(name=name, title=data["title"], services=MappingProxyType(services))
