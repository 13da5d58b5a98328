"""What all tenants share (config/fleet.yml)."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path

from config.reading import yamlfile
from config.reading.keys import Reading, build, text
from config.releases import public_images
from config.values import checks, placement


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The fleet's own choices."""

    pool: IPv4Network = field(
        metadata=text(placement.pool, "Every tenant's subnet is a /24 of this network.", "10.77.0.0/16")
    )
    mirror: str = field(
        default="",
        metadata=text(
            checks.OrNothing(public_images.registry),
            "Where the public images of docker.io are taken from instead; empty: from docker.io itself.",
            "registry.acme.example/hub",
        ),
    )

    @classmethod
    def load(cls, path: Path) -> Fleet:
        """The fleet of a file; raises ConfigError."""
        reading = Reading(f"{path.parent.name}/{path.name}")
        root = yamlfile.load(path, reading.findings, path.parent.parent)
        if root:
            reading.keys(cls, root)
        reading.findings.raise_any()
        return build(cls, reading.values)
