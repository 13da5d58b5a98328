"""A work dir and a Pulumi home for each run: runs beside each other share neither settings nor a selected stack."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from automation.errors import PortalError
from automation.stack import ROOT
from toolchain.paths import data_directory

# More runs than these at once on one machine are a loop that went wrong.
MOST = 64
# Of Pulumi's own home, what runs may share: none of them writes to it.
SHARED = ("plugins", "credentials.json")


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """One run's folders, its own as long as it runs."""

    work: Path
    home: Path
    # As `work`, for runs that only look: its settings are copies (automation/runs/read_only.py).
    read_only: Path


@contextmanager
def claim(folder: Path | None = None) -> Iterator[Workspace]:
    """The first free workspace, made if need be; free again afterwards, and when its process is killed."""
    below = folder or data_directory(os.environ) / "workers"
    for number in range(MOST):
        place = below / str(number)
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (place / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield prepare(place)
            return
    raise PortalError(f"{MOST} runs are under way on this machine ({below}); wait until some of them end")


def prepare(place: Path) -> Workspace:
    """The project as the CLI looks for it, and a home with the plugins of the shell's own."""
    work, home, look = place / "work", place / "home", place / "look"
    for each in (work, home, look):
        each.mkdir(exist_ok=True)
    for name in ("Pulumi.yaml", "tenants"):
        link(work / name, ROOT / name)
    link(look / "Pulumi.yaml", ROOT / "Pulumi.yaml")
    for name in SHARED:
        link(home / name, usual_home() / name)
    disable_log(home / "logs")
    return Workspace(work=work, home=home, read_only=look)


def usual_home() -> Path:
    """Where the plain CLI keeps what is its own."""
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")


def disable_log(path: Path) -> None:
    """A file where the CLI would make the folder for the log of all that it says to plugins.

    It takes a quarter of the CLI's time and a megabyte a run, with the tenant's settings in it; nothing turns it off, and the CLI
    goes on without one: https://github.com/pulumi/pulumi/blob/v3.256.0/pkg/cmd/pulumi/pulumi.go#L325-L333
    """
    if path.is_dir():
        shutil.rmtree(path)
    path.touch()


def link(path: Path, target: Path) -> None:
    """Have `path` point at `target`, whatever an earlier checkout has made of it."""
    if path.is_symlink() and path.readlink() == target:
        return
    path.unlink(missing_ok=True)
    path.symlink_to(target)
