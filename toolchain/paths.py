"""Where things lie on a machine: the cache (may be deleted any time) and the data (may not)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent


def _base(env: Mapping[str, str], variable: str, below_home: str) -> Path:
    # The XDG specification: a relative path in these variables is to be ignored.
    said = env.get(variable, "")
    if said.startswith("/"):
        return Path(said)
    home = env.get("HOME", "")
    return (Path(home) if home.startswith("/") else Path(f"/var/tmp/portals-{os.getuid()}")) / below_home  # noqa: S108


def cache_directory(env: Mapping[str, str]) -> Path:
    """What can be made again: tools, virtual environments, wheels."""
    return _base(env, "XDG_CACHE_HOME", ".cache") / "portals"


def data_directory(env: Mapping[str, str]) -> Path:
    """What cannot: the stacks' state, the passphrase, the admins' first passwords."""
    return _base(env, "XDG_DATA_HOME", ".local/share") / "portals"


@dataclass(frozen=True)
class Paths:
    cache: Path
    data: Path

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "Paths":
        return cls(cache_directory(env), data_directory(env))

    @property
    def stamps(self) -> Path:
        return self.cache / "stamps"

    @property
    def logs(self) -> Path:
        return self.cache / "logs"

    @property
    def lock(self) -> Path:
        return self.cache / "setup.lock"

    @property
    def go_caches(self) -> Path:
        """Go's module and build caches while a Go of ours builds; 4 GB, removed when it has."""
        return self.cache / "go-caches"

    @property
    def state(self) -> Path:
        return self.data / "state"

    @property
    def backend(self) -> str:
        """The state as a backend's URL, without files beside its files.

        In those the CLI keeps what nobody asks for, and writes them in place: whoever reads a stack at that moment fails with
        "failed to load checkpoint: EOF", and after a kill at that moment everybody does.
        https://github.com/google/go-cloud/blob/a12ddce30739/blob/fileblob/attrs.go#L42
        """
        return f"{self.state.as_uri()}?metadata=skip"

    @property
    def passphrase(self) -> Path:
        return self.data / "passphrase"

    @property
    def pulumi_home(self) -> Path:
        return self.data / "pulumi"

    @property
    def engine(self) -> Path:
        """The log and the record of a dockerd that was started here."""
        return self.data / "engine"

    def venv(self, key: str) -> Path:
        return self.cache / f"venv-{key}"

    def go(self, key: str) -> Path:
        return self.cache / f"go-{key}"

    def tools(self, key: str) -> Path:
        """The directory that goes on PATH with pulumi and its language host in it."""
        return self.cache / f"bin-{key}"
