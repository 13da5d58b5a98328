"""The demo's own drive: a directory of the host's disk that nobody else has a use for, and nothing else is ever marked."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from automation.drive import sentinel
from automation.errors import PortalError
from config.values.drive_paths import SENTINEL

# As tenants/demo.yaml has it. A drive that is mounted anywhere else is marked by its operator, on purpose.
ROOT = "/srv/portals-demo"
# What the engine's host mounts, now or later: a mount that is away looks like any directory.
MOUNTS = (
    "sed 's/#.*//' /host/fstab 2>/dev/null | while read -r _ point _; do echo \"$point\"; done; "
    "sed -n 's/^Where=//p' /host/systemd/system/*.mount /host/systemd/system/*.automount 2>/dev/null; true"
)


def prepare(client: Any, root: str, others: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Mark the demo's own directory as a drive, unless it is one. `others` are the other tenants' roots, by name.

    Raises DriveMissing where that is not provably what the operator wants.
    """
    if sentinel.has_sentinel(client, root):
        return
    why = refusal(
        root,
        others,
        sentinel.run_on_drive(client, "/etc", MOUNTS.replace("/host", "/drive"), reads=True).split(),
    )
    if why:
        raise sentinel.DriveMissing(
            f"{root}/{SENTINEL} does not exist on the engine's host, and {why}: nothing was started "
            "or marked, because a mark could hide that a drive is not mounted. Mount the drive; for "
            f"a new drive, run `./portal drive init {root}` once"
        )
    sentinel.init(client, root, say)


def refusal(root: str, others: Mapping[str, str], mounts: Iterable[str]) -> str:
    """Why a directory is not the demo's own to mark; empty where it is."""
    if root != ROOT:
        return f"the demo marks only its own {ROOT}"
    for name, theirs in sorted(others.items()):
        if overlap(root, theirs):
            return f"tenants/{name}.yaml has its drive at {theirs}"
    for point in sorted(mounts):
        # All is below the root file system.
        if point.startswith("/") and point != "/" and overlap(root, point):
            return f"the host mounts a file system at {point}"
    return ""


def overlap(one: str, other: str) -> bool:
    """Whether one directory lies in the other, or is it."""
    a, b = PurePosixPath(one), PurePosixPath(other)
    return a.is_relative_to(b) or b.is_relative_to(a)


def refuse_moved(root: str, known: Iterable[str]) -> None:
    """Raises PortalError where the demo has its data at other roots: it would begin empty."""
    roots = list(known)
    if roots and root not in roots:
        raise PortalError(
            f"the demo has its data in {roots[0]}/demo, but tenants/demo.yaml has {root}: nothing was "
            f"changed. To keep the data, set `storage: {{root: {roots[0]}}}` there; to start again "
            "without it, `./portal destroy demo --confirm demo`, then `./portal purge demo --gone "
            f"{root} --confirm demo`, then `git checkout tenants/demo.yaml`"
        )
