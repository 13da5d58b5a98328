"""The drive that every host mounts at the same path, and the sentinel file that proves it is mounted."""

import io
import os
import re
import tarfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from automation.drive import quota, symbolic_links
from automation.drive.data_locations import DataLocation
from automation.drive.quota import Share
from automation.errors import PortalError
from automation.stack import ROOT
from config.images import reference
from config.tenant.tenant import Tenant
from config.values import placement
from config.values.drive_paths import SENTINEL
from preflight import helper as helpers

# Whole or not at all. The id tells one drive from another; the file system that the mark was made on, and where in it the
# drive's root lies, tell a drive from a copy of its mark on the host's own disk. See images/ops/storage-init.
MARK_SCRIPT = """
set -e
on=
while read -r _ _ _ root point rest; do
    if [ "$point" = /drive ]; then rest=${{rest#* - }}; on="${{rest%% *}} $root"; fi
done </proc/self/mountinfo
id='{id}'
[ -n "$id" ] || id=$(cat /proc/sys/kernel/random/uuid)
printf '%s\\n' portals-drive "id $id" "on $on" >/drive/.portals-drive.new
chmod 0644 /drive/.portals-drive.new
sync /drive/.portals-drive.new
mv -T /drive/.portals-drive.new /drive/.portals-drive
"""
# On which file system the drive is now, in the words of its mark.
FILE_SYSTEM_SCRIPT = """
while read -r _ _ _ root point rest; do
    if [ "$point" = /drive ]; then rest=${{rest#* - }}; echo "drive-on ${{rest%% *}} $root"; fi
done </proc/self/mountinfo
"""
_FILE_SYSTEM = re.compile(r"^drive-on (\S+ .+)$", re.MULTILINE)
# More than any mark has.
MOST_BYTES = 4096


class DriveMissing(PortalError):
    """The drive is not mounted where the tenant says."""

    exit_code = 7


@dataclass(frozen=True, kw_only=True)
class Sentinel:
    """What a drive's sentinel says: its own id, and on which file system it was made; empty where it was made by hand."""

    id: str = ""
    on: str = ""


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What one container has seen of a drive: its mark, None where there is none, and the output of a script there."""

    mark: Sentinel | None
    output: str = ""


def init(client: Any, root: str, say: Callable[[str], None], *, moved: bool = False) -> bool:
    """Write the sentinel to `root`, by the engine that will mount it; returns whether it was changed.

    One that is there keeps its id; `moved` says that its file system is another now on purpose.
    """
    there = read_sentinel(client, root)
    if there and there.id and not moved:
        return False
    run_on_drive(client, root, MARK_SCRIPT.format(id=there.id if there else ""), makes=True)
    say(f"marked {root} as the portals' drive ({root}/{SENTINEL})")
    return True


def check(client: Any, tenant: Tenant, known: Iterable[DataLocation] = ()) -> DataLocation:
    """The tenant's place, with the id of its drive: nothing may start on the wrong disk.

    Raises DriveMissing when the engine does not see the sentinel, or sees that of another drive than the one that
    `known` tells for this root; DataLinked where a symbolic link stands for one of the tenant's directories.
    """
    return judge(tenant, inspect_tenant(client, tenant), known)


def inspect_tenant(client: Any, tenant: Tenant) -> Inspection:
    """The drive of a tenant, for `judge` and, of its share there, `quota.parse_share`."""
    script = (FILE_SYSTEM_SCRIPT + symbolic_links.LINKS_SCRIPT + quota.LIMITS_SCRIPT).format(tenant.name)
    return inspect(client, tenant.storage.root, script)


def judge(tenant: Tenant, inspection: Inspection, known: Iterable[DataLocation] = ()) -> DataLocation:
    """The same of a drive that has been inspected by `symbolic_links.LINKS_SCRIPT` and whatever else. Pure."""
    root, there = tenant.storage.root, inspection.mark
    if there is None:
        raise DriveMissing(
            f"{root}/{SENTINEL} does not exist on the engine's host, so the drive is not mounted: "
            "nothing was started or written. Mount the drive; for a new drive, run `./portal drive "
            f"init {root}` once"
        )
    was = next((each.drive for each in known if each.root == root and each.drive), "")
    if was and was != there.id:
        raise DriveMissing(
            f"{root} on the engine's host is another drive ({there.id or 'marked by hand'}) than the "
            f"one with the data of {tenant.name} ({was}): nothing was started or written. Mount that "
            "drive; if you moved the data to this one, write the old id into its mark: `echo 'id "
            f"{was}'` as the second line of {root}/{SENTINEL}"
        )
    # Of two mounts at one path the later one covers the earlier.
    now = next(iter(_FILE_SYSTEM.findall(inspection.output)[::-1]), "")
    if there.on and now and there.on != now:
        raise DriveMissing(
            f"{root} on the engine's host is on another file system ({now}) than when it was marked ({there.on}), so its mark "
            "may be a copy: nothing was started or written. Mount the drive; if you moved the drive to that file system, run "
            f"`./portal drive init --moved {root}` once"
        )
    symbolic_links.refuse(root, symbolic_links.parse(inspection.output), "nothing was started or written")
    return DataLocation(
        root=root, host=placement.address_of(tenant.placement.docker_host, os.environ), drive=there.id
    )


def read_share(client: Any, root: str, tenant: str) -> Share:
    """What the drive at `root` says of a tenant's share of it. Raises DriveMissing, PortalError."""
    return quota.parse_share(run_on_drive(client, root, quota.LIMITS_SCRIPT.format(tenant), reads=True))


def remove_own_limit(client: Any, root: str, tenant: str, say: Callable[[str], None]) -> None:
    """Leave no limit of ours behind on a tenant's directory, and nobody who would set one. Raises DriveMissing, PortalError."""
    quota.remove_left_helpers(client, tenant)
    share = read_share(client, root, tenant)
    if quota.next_step(share, 0) is quota.Step.LIFT:
        quota.remove_limit(client, root, tenant, say)


def inspect(client: Any, root: str, script: str, *, reads: bool = True) -> Inspection:
    """The mark of the drive at `root` and what a script says with the root at /drive, by one container.

    Nothing is started where there is no mark. With `reads` the script cannot change anything. Raises PortalError as `run_on_drive` does.
    """
    from docker.errors import APIError
    from docker.types import Mount

    mounts = [
        Mount("/sentinel", f"{root}/{SENTINEL}", type="bind", read_only=True),
        Mount("/drive", root, type="bind", read_only=reads),
    ]
    bound = client.create_host_config(mounts=mounts)
    try:
        with helper(client, entrypoint=["sh", "-c", script], user="0:0", host_config=bound) as made:
            return Inspection(mark=read_mark(client, made), output=run_to_end(client, made, root))
    except APIError as error:
        if is_absent(error):
            return Inspection(mark=None)
        raise


def read_sentinel(client: Any, root: str) -> Sentinel | None:
    """The mark of the drive at `root`, None where there is none: a bind mount of an absent path is refused at creation."""
    from docker.errors import APIError
    from docker.types import Mount

    bound = Mount("/sentinel", f"{root}/{SENTINEL}", type="bind", read_only=True)
    try:
        with helper(client, command=["true"], host_config=client.create_host_config(mounts=[bound])) as made:
            return read_mark(client, made)
    except APIError as error:
        if is_absent(error):
            return None
        raise


def read_mark(client: Any, container: str) -> Sentinel:
    """What the sentinel says that a container has bound. The engine reads it without starting anything."""
    stream, _ = client.get_archive(container, "/sentinel")
    return parse(b"".join(stream))


def parse(archive: bytes) -> Sentinel:
    """What the sentinel says, as the engine hands it out: in a tar archive."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        entry = next((each for each in tar if each.isfile()), None)
        file = tar.extractfile(entry) if entry else None
        text = file.read(MOST_BYTES).decode(errors="replace") if file else ""
    fields = dict(line.split(" ", 1) for line in text.splitlines()[1:] if " " in line)
    return Sentinel(id=fields.get("id", "").strip(), on=fields.get("on", "").strip())


def has_sentinel(client: Any, root: str) -> bool:
    """Whether the engine's host has the sentinel."""
    return read_sentinel(client, root) is not None


def require_sentinel(client: Any, root: str) -> None:
    """Raises DriveMissing where the engine's host has no marked drive at `root`."""
    if not has_sentinel(client, root):
        raise DriveMissing(missing_text(root))


def missing_text(root: str) -> str:
    """That there is no drive of the portals at `root`, and the remedy."""
    return (
        f"{root} is not mounted on the engine's host, or is not marked; mount it, or mark a new drive "
        f"once with ./portal drive init {root}"
    )


def is_absent(error: Any) -> bool:
    """Whether an engine has refused a bind mount because its host has no such path."""
    return "bind source path does not exist" in str(error.explanation)


def run_on_drive(
    client: Any, root: str, script: str, limit: float = 60.0, *, reads: bool = False, makes: bool = False
) -> str:
    """What a shell script says, with the drive's root at /drive, in a container that is gone afterwards.

    With `reads` it cannot change anything there. Only with `makes` the engine may make the root on its host's own disk.

    Raises DriveMissing where there is no such path, PortalError when the script fails or does not end within `limit` seconds.
    """
    from docker.errors import APIError
    from docker.types import Mount

    # A source in `binds` that is absent is made by the engine; one of a mount is refused, and nothing is made.
    bound = client.create_host_config(
        **(
            {"binds": [f"{root}:/drive"]}
            if makes
            else {"mounts": [Mount("/drive", root, type="bind", read_only=reads)]}
        )
    )
    try:
        with helper(client, entrypoint=["sh", "-c", script], user="0:0", host_config=bound) as made:
            return run_to_end(client, made, root, limit)
    except APIError as error:
        if is_absent(error):
            raise DriveMissing(missing_text(root)) from None
        raise


def run_to_end(client: Any, container: str, root: str, limit: float = 60.0) -> str:
    """Start a container and return what it says. Raises PortalError when it fails or does not end within `limit` seconds."""
    client.start(container)
    ended = client.wait(container, timeout=limit)
    output: str = client.logs(container).decode(errors="replace").strip()
    if ended["StatusCode"]:
        raise PortalError(f"{root}: {output}")
    return output


def helper(client: Any, **how: Any) -> AbstractContextManager[str]:
    """A container without a network for one question to the engine's host; its id. It is gone afterwards."""
    return helpers.helper(client, ops_image(), **how)


def ops_image() -> str:
    """The image that the storage-init job runs, too."""
    return reference("ops", ROOT / "images")
