"""Where things lie on a machine: the cache (may be deleted any time) and the data (may not)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import ToolchainError

REPO = Path(__file__).resolve().parent.parent


CACHE = ("XDG_CACHE_HOME", ".cache")
DATA = ("XDG_DATA_HOME", ".local/share")
# Where earlier versions kept all of it when there was no HOME. In a folder that everybody may write to.
FORMERLY = "/var/tmp/portals-{user}"  # noqa: S108


def home(env: Mapping[str, str]) -> Path:
    """The home folder: HOME's, or without one (a systemd unit of root has none) the password database's.

    Raises ToolchainError when neither knows one: what is kept must be found again whoever asks.
    """
    value = env.get("HOME", "")
    if value.startswith("/"):
        return Path(value)
    # Imported here: it is rarely asked.
    import pwd

    try:
        directory = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        directory = ""
    if not directory.startswith("/"):
        raise ToolchainError(
            "HOME is not set, and the password database has no home directory for user "
            f"{os.getuid()}: set HOME, for example HOME=/root, or both XDG_DATA_HOME and "
            "XDG_CACHE_HOME; the portals' state is kept there"
        )
    return Path(directory)


def _base(env: Mapping[str, str], variable: str, below_home: str) -> Path:
    # The XDG specification: a relative path in these variables is to be ignored.
    value = env.get(variable, "")
    return Path(value) if value.startswith("/") else home(env) / below_home


def check(env: Mapping[str, str]) -> None:
    """Raises ToolchainError, with the variable to set, when this user can keep nothing where all is kept."""
    for variable, below_home in (CACHE, DATA):
        folder = _base(env, variable, below_home)
        if not env.get(variable, "").startswith("/") and not home(env).is_dir():
            # Made by whoever comes first, a mistyped or made-up home (/nonexistent) would have a state of its own.
            raise ToolchainError(
                f"HOME={home(env)} is not a directory, but {folder}/portals must be in it: set HOME "
                "to an existing directory, or set XDG_DATA_HOME and XDG_CACHE_HOME"
            )
        there = next(each for each in (folder / "portals", folder, *folder.parents) if os.path.lexists(each))
        if not there.is_dir():
            raise ToolchainError(
                f"{there} is not a directory, but {folder}/portals must be one: move it away"
            )
        if there != folder / "portals" and not os.access(there, os.W_OK | os.X_OK):
            raise ToolchainError(
                f"{folder}/portals cannot be created: this user may not write to {there}; set HOME to "
                "a directory of this user, or set XDG_DATA_HOME and XDG_CACHE_HOME"
            )
    _check_formerly(env)


def _check_formerly(env: Mapping[str, str]) -> None:
    """Raises ToolchainError when a state lies where earlier versions kept it: its portals would count as never made."""
    if env.get("HOME", "").startswith("/") or env.get(DATA[0], "").startswith("/"):
        return
    old = Path(FORMERLY.format(user=os.getuid())) / DATA[1] / "portals"
    try:
        if old.stat().st_uid != os.getuid() or not any(old.glob("state/.pulumi/stacks/*/*.json")):
            return
    except OSError:
        return
    raise ToolchainError(
        f"{old} has the state of portals: earlier versions kept it there when HOME was not set; now "
        f"it is in {data_directory(env)}. Move it there unchanged, with the passphrase; if those "
        "portals no longer exist, move it away"
    )


def cache_directory(env: Mapping[str, str]) -> Path:
    """What can be made again: tools, virtual environments, wheels."""
    return _base(env, *CACHE) / "portals"


def data_directory(env: Mapping[str, str]) -> Path:
    """What cannot: the stacks' state, the passphrase, the admins' first passwords."""
    return _base(env, *DATA) / "portals"


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

    @property
    def installed(self) -> Path:
        """Says that the engine of this machine was installed here, and is ours to guard."""
        return self.engine / "installed"

    def venv(self, key: str) -> Path:
        return self.cache / f"venv-{key}"

    def go(self, key: str) -> Path:
        return self.cache / f"go-{key}"

    def tools(self, key: str) -> Path:
        """The directory that goes on PATH with pulumi and its language host in it."""
        return self.cache / f"bin-{key}"
