"""The folders and files of a container that the configurator uses."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Paths:
    """`layers` and `secrets` come from the program, `overrides` and `rendered` are on the drive, `settings` is in memory.

    `home` is of the image."""

    home: Path = Path("/opt/configuration")
    layers: Path = Path("/portal/config")
    secrets: Path = Path("/run/secrets")
    overrides: Path = Path("/openedx/overrides")
    rendered: Path = Path("/openedx/rendered")
    settings: Path = Path("/openedx/config")

    @property
    def overrides_file(self) -> Path:
        """The file that the portal's admins write."""
        return self.overrides / "ansible_overrides.yml"
