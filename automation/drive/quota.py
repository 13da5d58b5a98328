"""A portal's share of the drive as a limit that holds, where the drive's file system keeps one; else it is watched.

The witness is the file system itself: asked at a portal's directory, it answers with the limit on that in place of its own
size (project quotas of XFS and ext4, also through NFS; a volume of its own). What nobody else has limited there, `up`
limits by a project quota, where the drive is mounted for them: docs/decisions/0017.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from automation.drive.system_calls import seccomp_profile
from automation.errors import Cancelled
from automation.stack import ROOT
from config.images import reference
from config.portal.labels import HELPER_OF
from config.tenant.tenant import Tenant
from preflight.helper import helper
from preflight.obstacles import Obstacle

Say = Callable[[str], None]
# In the helper's own shell, which gets the tenant's name as it is (config/names.py). Never through a link.
LIMITS_SCRIPT = """
while read -r _ _ _ _ point rest; do
    if [ "$point" = /drive ]; then rest=${{rest#* - }}; echo "quota-mount ${{rest%% *}} ${{rest##* }}"; fi
done </proc/self/mountinfo
echo "quota-kernel $(uname -r)"
echo "quota-users $(head -n 1 /proc/self/uid_map | tr -s ' ' :)"
echo "quota-drive $(df -Pk /drive | tail -n 1)"
if [ -d /drive/{0} ] && [ ! -L /drive/{0} ] && [ ! -L /drive/{0}/.portal ]; then
    echo "quota-portal $(df -Pk /drive/{0} | tail -n 1)"
    echo "quota-files $(df -Pi /drive/{0} | tail -n 1)"
    [ ! -f /drive/{0}/.portal/project ] || echo quota-project
    [ ! -f /drive/{0}/.portal/usage ] || echo "quota-counted $(head -c 40 /drive/{0}/.portal/usage | tr -c '0-9' ' ')"
fi
"""
_MOUNT = re.compile(r"^quota-mount (\S+) (\S+)$", re.MULTILINE)
_KERNEL = re.compile(r"^quota-kernel (\d+)\.(\d+)", re.MULTILINE)
_USERS = re.compile(r"^quota-users :?(\d+):(\d+):(\d+)$", re.MULTILINE)
_SPACE = r"^quota-{} \S+\s+(\d+)\s+\d+\s+(\d+)\s"
_DRIVE, _PORTAL = (re.compile(_SPACE.format(each), re.MULTILINE) for each in ("drive", "portal"))
_FILES = re.compile(r"^quota-files \S+\s+(\d+)\s+(\d+)\s", re.MULTILINE)
_COUNTED = re.compile(r"^quota-counted (\d+) ", re.MULTILINE)
HOLDERS = ("xfs", "ext4")
# A portal that has less is as good as full: data stores write that much by themselves.
LEAST_LEFT_MIB = 64
# One for each block of 4 KiB: whoever writes into files meets the size first. Empty files, links and pipes cost no block, but
# an inode, which nobody else has then.
FILES_PER_MIB = 256
COUNTS = frozenset({"prjquota", "pquota"})
# The first with quotactl_fd, by which the helper sets a limit.
KERNEL = (5, 14)
# What a user namespace maps where there is none: root is the host's, and nobody else limits its file systems.
ALL_USERS = (0, 0, 2**32 - 1)
# Of an `up` that is about to set a first limit, before anything is changed: what it does not end in time decides nothing.
COUNT_SECONDS = 600
COUNT_SCRIPT = """
cd /portal || exit 1
(seen=0; while sleep 5; do seen=$((seen + 5)); echo "counting its files: $seen s"; done) &
found=$(timeout {seconds} du -skx . 2>/dev/null)
kill $!
if [ -n "$found" ]; then echo "counted ${{found%%[!0-9]*}}"; else echo uncounted; fi
"""
# The walk of a first time; what it has not done by then the next `up` goes on with. It says something every 5 s.
WALK_SECONDS = 1800
# For an end that its log has told already.
WAIT_SECONDS = 30
HELPER_MIB = 64
_HELD = re.compile(r"held (\d+) (\d+)")
_FOUND = re.compile(r"counted (\d+)")


class Step(StrEnum):
    """What `up` does about a portal's limit."""

    NONE = "none"
    HOLD = "hold"
    LIFT = "lift"


@dataclass(frozen=True, kw_only=True)
class Share:
    """What a drive says of a portal's share, in KiB. `own` is None where the portal has no directory there.

    `files` is how many files the file system lets the directory have, and how many there are: of the whole file system where
    their number is not limited. `ours` is whether this program has given the directory a project; `counted` what its files took when they were counted;
    `prevented` why no container of the engine's may set a limit, whatever the file system.
    """

    kind: str = ""
    options: frozenset[str] = frozenset()
    size: int = 0
    own: tuple[int, int] | None = None
    files: tuple[int, int] | None = None
    ours: bool = False
    counted: int | None = None
    prevented: str = ""

    @property
    def limit(self) -> int:
        """MiB that the file system gives the portal, 0 where it is all that the drive has."""
        return self.own[0] // 1024 if self.own and self.own[0] != self.size else 0

    @property
    def files_held(self) -> tuple[int, int] | None:
        """The limit on the number of files, and how many there are; None where it is not limited."""
        held = self.files and self.limit and self.files[0] <= most_files(self.limit)
        return self.files if held else None

    @property
    def used(self) -> int | None:
        """MiB taken: exact where there is a limit, else as last counted."""
        if self.own and self.limit:
            return (self.own[0] - self.own[1]) // 1024
        return self.counted // 1024 if self.counted is not None else None

    @property
    def supports_limits(self) -> bool:
        """Whether `up` can set a limit there: the drive's file system is mounted to hold those of projects, and the kernel takes them."""
        mounted = bool(self.options & COUNTS) and "pqnoenforce" not in self.options
        return self.kind in HOLDERS and mounted and not self.prevented


def parse_share(output: str) -> Share:
    """The output of `LIMITS_SCRIPT`."""
    mounted, whole, own, files, counted = (
        each.search(output) for each in (_MOUNT, _DRIVE, _PORTAL, _FILES, _COUNTED)
    )
    return Share(
        kind=mounted[1] if mounted else "",
        options=frozenset(mounted[2].split(",")) if mounted else frozenset(),
        size=int(whole[1]) if whole else 0,
        own=(int(own[1]), int(own[2])) if own else None,
        files=(int(files[1]), int(files[2])) if files else None,
        ours="\nquota-project" in output,
        counted=int(counted[1]) if counted else None,
        prevented=why_prevented(output),
    )


def why_prevented(output: str) -> str:
    """Why the kernel takes no limit from a container of this engine; empty where nothing is known against it."""
    kernel, users = _KERNEL.search(output), _USERS.search(output)
    if kernel and (version := (int(kernel[1]), int(kernel[2]))) < KERNEL:
        return f"its host has Linux {version[0]}.{version[1]}, and a limit needs {KERNEL[0]}.{KERNEL[1]}"
    if users and tuple(map(int, users.groups())) != ALL_USERS:
        return "its engine lends no container the rights of the host's root (rootless, or user namespaces)"
    return ""


def most_files(quota: int) -> int:
    """How many files a portal with a quota of MiB may have. Pure."""
    return quota * FILES_PER_MIB


def next_step(share: Share, quota: int) -> Step:
    """What is to be done so that a quota of MiB holds; 0 is no quota. Pure.

    For a portal that has no directory yet it is what is done once it has.
    """
    if not share.supports_limits:
        return Step.NONE
    # One that limits nothing is told, and would be seen by nobody who is to take it away again.
    if not quota or quota >= share.size // 1024:
        return Step.LIFT if share.ours and share.limit else Step.NONE
    # A limit of before has none of files. An operator's own stays as it is.
    whole = not share.ours or not share.files or share.files_held
    return Step.NONE if share.limit == quota and whole else Step.HOLD


def raises_limit(share: Share, quota: int) -> bool:
    """Whether what is to be done gives the portal more room than it has, which what starts may need: before, not after. Pure."""
    doing = next_step(share, quota)
    return doing is Step.LIFT or (doing is Step.HOLD and 0 < share.limit < quota)


def is_enforced(share: Share, quota: int) -> bool:
    """Whether the file system stops the portal at its quota, or before it."""
    return bool(quota and share.limit and share.limit <= quota)


def why_not_enforced(share: Share, tenant: Tenant) -> str:
    """Why the quota is watched and does not hold, with the remedy; empty where it holds or there is none. Pure."""
    quota = tenant.storage.quota_mib
    if not quota or is_enforced(share, quota):
        return ""
    if quota >= share.size // 1024 > 0:
        return f"{quota} MiB is not less than the drive has in all ({share.size // 1024})"
    if share.supports_limits:
        return f"not set yet: ./portal up {tenant.name} sets it"
    if share.kind.startswith(("nfs", "cifs", "smb", "fuse", "ceph", "9p")):
        return (
            f"{tenant.storage.root} is {share.kind}, whose file server alone can set a limit: set it there, on its own path of "
            f"{tenant.directory} (commands: docs/decisions/0017)"
        )
    if share.kind in HOLDERS and not share.prevented:
        features = " with the features project and quota" if share.kind == "ext4" else ""
        return (
            f"{tenant.storage.root} is {share.kind} and not mounted with prjquota: mount it with that option{features} "
            "(docs/decisions/0017)"
        )
    if share.prevented and share.kind in HOLDERS:
        return f"{tenant.storage.root} could keep a limit, but {share.prevented}"
    return f"{tenant.storage.root} is {share.kind or 'of an unknown kind'}, which has no project quotas; XFS and ext4 have them"


def obstacles(share: Share, tenant: Tenant, disk: int) -> Iterator[Obstacle]:
    """What of a tenant's quota is not possible; `disk` is what has to be free for what is to start, in MiB. Pure."""
    quota, used = tenant.storage.quota_mib, share.used
    doing = next_step(share, quota)
    limit = {Step.HOLD: quota, Step.LIFT: 0, Step.NONE: share.limit}[doing]
    if used is None or not limit:
        return
    lowers = doing is Step.HOLD and share.limit != quota and not raises_limit(share, quota)
    if lowers and limit - used < LEAST_LEFT_MIB:
        yield Obstacle(key="storage/quota", what=full_at_once_text(tenant, used), remedy=REMEDY)
    elif limit - used < disk:
        left = f"{tenant.name} has {max(0, limit - used)} MiB left of {limit}"
        yield Obstacle(
            key="storage/quota", what=f"{left}, and what writes there needs {disk} to start", remedy=REMEDY
        )


REMEDY = "raise the quota, or find what grows and make room"


def count_files(
    client: Any, tenant: Tenant, share: Share, say: Say, cancel: threading.Event | None = None
) -> Share:
    """The same, its files counted where a first limit is about to be set on them: too little left is to be known before.

    No longer than COUNT_SECONDS; what is not counted by then stays as it was. Raises PortalError, Cancelled.
    """
    if not share.own or share.limit or next_step(share, tenant.storage.quota_mib) is not Step.HOLD:
        return share
    from docker.types import Mount

    bound = client.create_host_config(
        network_mode="none", mounts=[Mount("/portal", tenant.directory, type="bind", read_only=True)]
    )
    how = {
        "entrypoint": ["sh", "-c", COUNT_SCRIPT.format(seconds=COUNT_SECONDS)],
        "user": "0:0",
        "host_config": bound,
    }
    last, _ = run_helper(client, tenant.name, how, lambda line: say(f"{tenant.name}: {line}"), cancel)
    if match := _FOUND.fullmatch(last):
        return replace(share, counted=int(match[1]))
    say(
        f"{tenant.name}: its files were not counted within {COUNT_SECONDS} s; storage/quota is set once they are, if it is more"
    )
    return share


def full_at_once_text(tenant: Tenant, used: int) -> str:
    """That a quota would be full at once."""
    return f"{tenant.name} uses {used} MiB, so with {tenant.storage.quota_mib} it could write next to nothing from then on"


def notes(share: Share, tenant: Tenant) -> Iterator[str]:
    """What `up` will do about it, or why it is watched alone. Pure."""
    quota = tenant.storage.quota_mib
    doing = next_step(share, quota)
    if doing is Step.HOLD and share.limit == quota:
        yield f"storage/quota: the file system will hold the portal to {most_files(quota)} files, too"
    elif doing is Step.HOLD:
        now = f", {share.limit} now" if share.limit else ", none now"
        yield f"storage/quota: the file system will hold the portal to {quota} MiB{now}"
        if share.own and share.used is None:
            yield (
                "storage/quota: the portal's files were not counted yet: `up` counts them before it changes anything, and "
                "refuses the quota if it leaves too little"
            )
    elif doing is Step.LIFT:
        yield f"storage/quota: the limit of {share.limit} MiB is lifted"
    elif why := why_not_enforced(share, tenant):
        yield f"storage/quota: watched, not enforced: {why}"


def set_limit(
    client: Any, tenant: Tenant, share: Share, say: Say, cancel: threading.Event | None = None
) -> str:
    """Make the limit on the drive what the tenant's file says; why it could not be done, empty where it was.

    Raises Cancelled once `cancel` is set: the next `up` goes on.
    """
    doing = next_step(share, tenant.storage.quota_mib)
    if doing is Step.NONE or not share.own:
        return ""
    words = ["--tenant", tenant.name, "/portal"]
    if doing is Step.HOLD:
        quota = tenant.storage.quota_mib
        limits = ["--limit-mib", str(quota), "--limit-files", str(most_files(quota))]
        words = [*limits, "--seconds", str(WALK_SECONDS), *words]
    last_line = run_project_quota(
        client,
        tenant.name,
        tenant.directory,
        [str(doing), *words],
        lambda line: say(f"{tenant.name}: {line}"),
        cancel,
    )
    return reason_not_done(last_line, tenant, say)


def remove_limit(client: Any, root: str, tenant: str, say: Say) -> None:
    """Leave no limit behind, where this program has set one on a tenant's directory below `root`; tells why where it cannot."""
    last_line = run_project_quota(
        client, tenant, f"{root}/{tenant}", ["lift", "--tenant", tenant, "/portal"], say
    )
    if last_line != "lifted":
        say(f"the limit on {root}/{tenant} stays: {last_line.removeprefix('cannot ')}")


def reason_not_done(last_line: str, tenant: Tenant, say: Say) -> str:
    """What the helper's last words come to: why it was not done."""
    word, _, rest = last_line.partition(" ")
    quota = tenant.storage.quota_mib
    if done := _HELD.fullmatch(last_line):
        say(
            f"{tenant.name}: the file system holds it to {quota} MiB from now on, and to {most_files(quota)} files "
            f"(project {done[1]}; {done[2]} MiB taken)"
        )
        return ""
    if word == "lifted":
        say(f"{tenant.name}: the limit on {tenant.directory} is lifted (storage/quota)")
        return ""
    if word == "over":
        # Before, it was less, or was not counted in time.
        return f"{full_at_once_text(tenant, int(rest))}; {REMEDY}; the limit stays as it was"
    if word == "over-files":
        return (
            f"{tenant.name} has {rest} files, and with {quota} MiB it may have {most_files(quota)}; {REMEDY}; the limit stays "
            "as it was"
        )
    if word == "unfinished":
        return f"{rest} files were given their project in {WALK_SECONDS} s; the next ./portal up {tenant.name} goes on"
    return rest if word == "cannot" else f"the helper ended with {last_line[:200]!r}"


def helper_config(client: Any, directory: str) -> dict[str, Any]:
    """What the helper may: CAP_SYS_ADMIN for the limit, and that no more than it needs."""
    from docker.types import Mount, Ulimit

    made: dict[str, Any] = client.create_host_config(
        network_mode="none",
        mounts=[Mount("/portal", directory, type="bind")],
        cap_drop=["ALL"],
        cap_add=["SYS_ADMIN", "FOWNER", "DAC_READ_SEARCH"],
        security_opt=["no-new-privileges:true", "seccomp=" + json.dumps(seccomp_profile())],
        read_only=True,
        mem_limit=f"{HELPER_MIB}m",
        memswap_limit=f"{HELPER_MIB}m",
        pids_limit=16,
        # Of project_quota.py's MOST_OPEN each is open twice.
        ulimits=[Ulimit(name="nofile", soft=1024, hard=1024)],
    )
    return made


def run_project_quota(
    client: Any,
    tenant: str,
    directory: str,
    words: list[str],
    say: Say,
    cancel: threading.Event | None = None,
) -> str:
    """The last line of project-quota about one portal's directory; what it says before goes to `say`. Raises PortalError, Cancelled.

    CAP_SYS_ADMIN is the helper's alone, for the seconds that it takes: without a network, on a root that it cannot write,
    with the portal's directory and nothing else of the drive.
    """
    from docker.errors import APIError

    how = {
        "command": ["project-quota", *words],
        "user": "0:0",
        "host_config": helper_config(client, directory),
    }
    try:
        last, code = run_helper(client, tenant, how, say, cancel)
    except APIError as error:
        # An engine that lends no such right; the portal goes on as before.
        return f"cannot the engine refuses the helper: {error.explanation}"
    return last if not code and last else f"cannot the helper ended with exit code {code}: {last[:200]}"


def run_helper(
    client: Any, tenant: str, how: dict[str, Any], say: Say, cancel: threading.Event | None
) -> tuple[str, int]:
    """A helper's last line and its exit code; what it says before goes to `say`. Raises APIError, Cancelled."""
    remove_left_helpers(client, tenant)
    last = ""
    with helper(client, reference("ops", ROOT / "images"), {HELPER_OF: tenant}, **how) as made:
        client.start(made)
        for each in log_lines(client.logs(made, stream=True, follow=True)):
            if cancel and cancel.is_set():
                raise Cancelled(f"portal {tenant}: the work on its quota was cancelled; safe to re-run")
            if last:
                say(last)
            last = each
        code: int = client.wait(made, timeout=WAIT_SECONDS)["StatusCode"]
    return last, code


def remove_left_helpers(client: Any, tenant: str) -> None:
    """End what a killed command has left at work on a portal's limit. The caller holds the portal's lock, so nobody else's is."""
    from docker.errors import APIError

    for each in client.containers(all=True, filters={"label": f"{HELPER_OF}={tenant}"}):
        with suppress(APIError):
            # Its own command may be removing it.
            client.remove_container(each["Id"], force=True)


def log_lines(stream: Any) -> Iterator[str]:
    """Those of a container's log, as they come in pieces."""
    rest = ""
    for piece in stream:
        *whole, rest = (rest + piece.decode(errors="replace")).split("\n")
        yield from (each.strip() for each in whole if each.strip())
    if rest.strip():
        yield rest.strip()
