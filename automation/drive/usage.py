"""How full the drive is, and how much of it a portal has taken: told before it is full."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from automation.drive import capacity, quota, sentinel, symbolic_links
from automation.drive.quota import Share
from automation.drive.symbolic_links import Link
from automation.errors import PortalError
from config.tenant.tenant import Tenant

# A walk through a portal's files, which may be millions on a slow file server: no longer than this, and not again
# within the second. What was found stands on the drive beside the portal's directories, for every host.
WALK_SECONDS = 3
FRESH_SECONDS = 600
# Below this share of the drive it is told, unless that is still plenty.
LOW_SHARE = 0.10
PLENTY_MIB = 50 * 1024
NEAR_QUOTA = 0.80

# In the helper's own shell, which gets the tenant's name as it is: letters, digits and hyphens (config/values/names.py).
# Where a limit lies on the portal's own directory, the file system has counted already.
# No link is followed: a count of what it leads to would be another directory's.
USAGE_SCRIPT = (
    symbolic_links.LINKS_SCRIPT
    + quota.LIMITS_SCRIPT
    + """
df -Pk /drive | tail -n 1
cd /drive && [ -d {0} ] && [ ! -L {0} ] && cd {0}
if [ -L /drive/{0} ] || [ -L .portal ]; then exit 0; fi
[ -d .portal ] || {{ echo no files; exit 0; }}
now=$(date +%s) kept=.portal/usage
set -- $(df -k --output=size,avail . | tail -n 1) $(df -k --output=size /drive | tail -n 1)
if [ $1 != $3 ]; then echo "used $(($1 - $2)) $now"; exit 0; fi
read -r used at <$kept || at=0
if [ $((now - ${{at:-0}})) -gt {fresh} ]; then
    found=$(timeout {walk} du -skx .)
    code=$?
    if [ $code = 0 ]; then
        echo "${{found%%[!0-9]*}} $now" >$kept.new && mv $kept.new $kept
    else
        echo "uncounted $code"
    fi
fi 2>/dev/null
[ ! -s $kept ] || echo "used $(cat $kept)"
"""
)
_SPACE = re.compile(r"^\S+\s+(\d+)\s+\d+\s+(\d+)\s", re.MULTILINE)
_NO_FILES = re.compile(r"^no files$", re.MULTILINE)
_UNCOUNTED = re.compile(r"^uncounted (\d+)$", re.MULTILINE)
# What `timeout` ends with when it has ended a program.
LATE = 124
_USED = re.compile(r"^used (\d+) (\d+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """MiB of the drive and free on it; MiB that the portal has taken, when that was measured (seconds since 1970).

    `directory` is whether the portal has one there; `uncounted` what a walk that did not come to an end ended with;
    `links` those that stand for the portal's directories.
    """

    size: int
    free: int
    used: int | None = None
    measured: int | None = None
    directory: bool = True
    uncounted: int = 0
    links: tuple[Link, ...] = ()
    share: Share = field(default_factory=Share)


def measure(client: Any, tenant: Tenant) -> Usage:
    """What the drive has and the portal has taken, asked by a container on the engine's host. Raises DriveMissing, PortalError."""
    script = USAGE_SCRIPT.format(tenant.name, walk=WALK_SECONDS, fresh=FRESH_SECONDS)
    # Not on the host's own disk, which may have a directory where the drive is to be mounted.
    inspection = sentinel.inspect(client, tenant.storage.root, script, reads=False)
    if inspection.mark is None:
        raise sentinel.DriveMissing(sentinel.missing_text(tenant.storage.root))
    return parse(inspection.output)


def parse(output: str) -> Usage:
    """What the helper said. Raises PortalError when it is not to be understood."""
    space, used, uncounted = _SPACE.search(output), _USED.search(output), _UNCOUNTED.search(output)
    if not space:
        raise PortalError(f"cannot read the space of the drive on the engine's host: {output[:200]!r}")
    return Usage(
        size=int(space[1]) // 1024,
        free=int(space[2]) // 1024,
        used=int(used[1]) // 1024 if used else None,
        measured=int(used[2]) if used else None,
        directory=not _NO_FILES.search(output),
        uncounted=int(uncounted[1]) if uncounted else 0,
        links=symbolic_links.parse(output),
        share=quota.parse_share(output),
    )


def warnings(usage: Usage, tenant: Tenant) -> Iterator[str]:
    """What is to be done something about, the worst first. Pure."""
    root = tenant.storage.root
    for each in usage.links:
        yield symbolic_links.describe(root, each)
    if usage.free < capacity.LEAST_DISK_MIB:
        yield (
            f"{root} has {usage.free} MiB free: no portal starts with less than "
            f"{capacity.LEAST_DISK_MIB}, and data stores without space stop; free some space or "
            "enlarge the drive now"
        )
    elif usage.free < min(usage.size * LOW_SHARE, PLENTY_MIB):
        yield f"{root} has {usage.free} of {usage.size} MiB free; free some space or enlarge the drive before it is full"
    yield from _near(usage, tenant)


def _near(usage: Usage, tenant: Tenant) -> Iterator[str]:
    quota, limit = tenant.storage.quota_mib, usage.share.limit
    most = limit or quota
    remedy = "raise the quota, or find what grows: du -xh --max-depth 2 " + tenant.directory
    if limit and usage.used is not None and limit - usage.used < capacity.LEAST_DISK_MIB:
        yield (
            f"{tenant.name} has {max(0, limit - usage.used)} MiB left of the {limit} that the file system lets it have "
            f"(storage/quota): it cannot start with less than {capacity.LEAST_DISK_MIB}, and at 0 it can "
            f"write nothing; {remedy}"
        )
    elif most and usage.used is not None and usage.used >= most * NEAR_QUOTA:
        over = "more than" if usage.used > most else "of"
        yield f"{tenant.name} uses {usage.used} MiB, {over} its {most} (storage/quota); {remedy}"
    if (files := usage.share.files_held) and files[1] >= files[0] * NEAR_QUOTA:
        yield (
            f"{tenant.name} has {files[1]} of the {files[0]} files that the file system lets it have (storage/quota): at the end "
            f"it can make none; raise the quota, or find them: du --inodes -x --max-depth 2 {tenant.directory}"
        )


def facts(usage: Usage, tenant: Tenant) -> dict[str, Any]:
    """For `--json`: sizes in MiB; `used` and `measured` are null until the portal's files have been walked through."""
    files = usage.share.files_held
    return {
        "size_mib": usage.size,
        "free_mib": usage.free,
        "used_mib": usage.used,
        "measured": usage.measured,
        "directory": usage.directory,
        "counted_in_time": usage.uncounted != LATE,
        "quota_mib": tenant.storage.quota_mib or None,
        "quota_held": quota.is_enforced(usage.share, tenant.storage.quota_mib)
        if tenant.storage.quota
        else None,
        "quota_why": quota.why_not_enforced(usage.share, tenant),
        "limit_mib": usage.share.limit or None,
        "files": files[1] if files else None,
        "limit_files": files[0] if files else None,
        "warnings": list(warnings(usage, tenant)),
    }


def summary_line(facts: dict[str, Any], now: float | None = None) -> str:
    """The same in a line for people."""
    return "; ".join([_usage_text(facts, now), *_holds(facts)])


def _holds(facts: dict[str, Any]) -> Iterator[str]:
    """Whether what a portal may take is a limit."""
    if facts["limit_mib"]:
        yield f"the file system holds it to {facts['limit_mib']}"
    if facts["quota_why"]:
        yield f"its quota of {facts['quota_mib']} is watched, not enforced: {facts['quota_why']}"


def _usage_text(facts: dict[str, Any], now: float | None) -> str:
    line = f"drive: {facts['free_mib']} of {facts['size_mib']} MiB free"
    if not facts["directory"]:
        return f"{line}; the portal has no files there yet"
    if facts["used_mib"] is None:
        why = (
            "could not be counted"
            if facts["counted_in_time"]
            else f"were not counted within {WALK_SECONDS} s"
        )
        return f"{line}; the portal's files {why}"
    minutes = int(((time.time() if now is None else now) - facts["measured"]) // 60)
    most = facts["limit_mib"] or facts["quota_mib"]
    line += f"; the portal uses {facts['used_mib']}{f' of {most}' if most else ''}"
    return line + (f" ({minutes} min ago)" if not facts["limit_mib"] else "")
