"""Where everything lies in a container."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Places:
    """`given`, `secrets`: from the program. `overrides`, `rendered`: on the drive. `settings`: this container's alone."""

    home: Path = Path("/opt/configuration")
    given: Path = Path("/portal/config")
    secrets: Path = Path("/run/secrets")
    overrides: Path = Path("/openedx/overrides")
    rendered: Path = Path("/openedx/rendered")
    settings: Path = Path("/openedx/config")

    @property
    def file(self) -> Path:
        """What the portal's admins write."""
        return self.overrides / "ansible_overrides.yml"
