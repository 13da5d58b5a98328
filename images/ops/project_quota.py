"""project-quota hold|lift DIRECTORY …: sets or removes a project quota (XFS, ext4) on a portal's directory.

    hold --tenant NAME --limit-mib N --limit-files N --seconds N DIRECTORY
    lift --tenant NAME DIRECTORY

`hold` assigns the directory and all below it to one project, which new files inherit, then sets the project's limits.
The directory itself is assigned last: until then the work is unfinished, and the next `hold` walks the whole tree again,
with one system call for each file that has its project already. The project's id is random, so that another portal does
not know it. An id that the file system uses already is skipped, and the chosen id is written to .portal/project first.

No block device is needed: quotactl_fd(2) (Linux 5.14) takes a directory, and the ioctl a file. The limit needs
CAP_SYS_ADMIN outside user namespaces, files of others CAP_FOWNER, and their directories CAP_DAC_READ_SEARCH.

The last line is the result: `held ID MIB`, `lifted`, `over MIB` or `over-files N` (more is used than the limit; none was set),
`unfinished FILES` (out of time; the next run continues) or `cannot WHY`; all with exit code 0. 64: wrong arguments.
"""

import argparse
import ctypes
import errno
import fcntl
import os
import signal
import stat
import struct
import sys
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

# include/uapi/linux/fs.h: struct fsxattr is xflags, extsize, nextents, projid, cowextsize and 8 bytes of padding.
FSXATTR = struct.Struct("=5I8x")
FS_IOC_FSGETXATTR = 0x801C581F
FS_IOC_FSSETXATTR = 0x401C5820
FS_XFLAG_PROJINHERIT, FS_XFLAG_DAX = 0x200, 0x8000
# include/uapi/linux/quota.h: struct if_dqblk. Blocks are KiB, what is used is bytes.
DQBLK = struct.Struct("=8QI4x")
QIF_BLIMITS, QIF_ILIMITS = 1, 4
PRJQUOTA = 2
Q_GETQUOTA, Q_SETQUOTA = 0x800007, 0x800008
# The same number on every architecture.
SYS_QUOTACTL_FD = 443
# Above the ids that people write into /etc/projid, and those that engines give their layers.
FIRST_ID, IDS, TRIES = 1 << 30, 1 << 30, 16
RECORD = ".portal/project"
PROGRESS_SECONDS = 5
# Directories that are open at once; a tree may be a million deep.
MOST_OPEN = 200
# The kernel takes a lease back after /proc/sys/fs/lease-break-time, 45 s.
LEASE_SECONDS, MOST_LEASES = 90, 5
POLL_SECONDS = 0.5
LIFT_SECONDS = 60
LEASES = "see /proc/locks on the engine's host for which program that is, and stop its container"
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class OutOfTime(Exception):
    """The time limit is over."""


class Cannot(Exception):
    """The file system or the kernel does not support it; str() says why."""


class Attributes(NamedTuple):
    """The attributes of an inode (struct fsxattr)."""

    xflags: int
    extsize: int
    extents: int
    project: int
    cowextsize: int


class Quota(NamedTuple):
    """A project's limit and use in bytes, and its number of files (links, pipes and directories count, too)."""

    limit: int
    used: int
    files: int


def dqblk_of(limit: int, files: int) -> bytes:
    """The kernel's struct for a limit in bytes (a multiple of 1024) and one of files; 0 is none."""
    return DQBLK.pack(limit // 1024, 0, 0, files, 0, 0, 0, 0, QIF_BLIMITS | QIF_ILIMITS)


def quota_from(data: bytes) -> Quota:
    """The quota in the kernel's struct."""
    limit, _, used, _, _, files, _, _, _ = DQBLK.unpack(data)
    return Quota(limit=limit * 1024, used=used, files=files)


def fresh_ids() -> Iterator[int]:
    """Ids for a new project; the first free one is used. The owner of a file may give it to any project whose id he knows."""
    for _ in range(TRIES):
        yield FIRST_ID + int.from_bytes(os.urandom(8), "big") % IDS


def attributes(descriptor: int) -> Attributes:
    """The attributes of an open file or directory."""
    data = fcntl.ioctl(descriptor, FS_IOC_FSGETXATTR, bytes(FSXATTR.size))
    return Attributes(*FSXATTR.unpack(data))


def has_project(attributes: Attributes, project: int) -> bool:
    """Whether a directory belongs to a project, and new entries inherit that."""
    return attributes.project == project and bool(attributes.xflags & FS_XFLAG_PROJINHERIT)


def assign(descriptor: int, project: int, *, inherit: bool) -> bool:
    """Assign an open file or directory to a project; returns whether that changed anything. Raises OSError."""
    before = attributes(descriptor)
    xflags = before.xflags | FS_XFLAG_PROJINHERIT if inherit else before.xflags
    if (before.project, before.xflags) == (project, xflags):
        return False
    after = before._replace(xflags=xflags, project=project)
    try:
        fcntl.ioctl(descriptor, FS_IOC_FSSETXATTR, FSXATTR.pack(*after))
    except OSError as error:
        if error.errno != errno.EINVAL or not xflags & FS_XFLAG_DAX:
            raise
        # XFS lets an owner share blocks of a file that has this flag, and then takes no attributes together with it.
        after = after._replace(xflags=xflags & ~FS_XFLAG_DAX)
        fcntl.ioctl(descriptor, FS_IOC_FSSETXATTR, FSXATTR.pack(*after))
    return True


def quotactl(descriptor: int, command: int, project: int, data: bytes) -> bytes:
    """quotactl_fd(2) for a project. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(data, DQBLK.size)
    words = (
        ctypes.c_long(SYS_QUOTACTL_FD),
        ctypes.c_uint(descriptor),
        ctypes.c_uint(command << 8 | PRJQUOTA),
    )
    if libc.syscall(*words, ctypes.c_uint(project), buffer) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return buffer.raw


def quota(descriptor: int, project: int) -> Quota:
    """The quota of a project; zeros for an unknown one. Raises Cannot."""
    try:
        return quota_from(quotactl(descriptor, Q_GETQUOTA, project, b""))
    except OSError as error:
        # XFS, for an id that is not in use.
        if error.errno == errno.ENOENT:
            return Quota(limit=0, used=0, files=0)
        raise Cannot(reason(error)) from None


def reason(error: OSError) -> str:
    """Why the kernel refused, in words for the operator."""
    return {
        errno.ENOSYS: "the file system counts no projects (not mounted with prjquota), or the kernel is older than Linux 5.14",
        errno.EPERM: "the engine gives no container CAP_SYS_ADMIN of the host (user namespaces, rootless)",
        errno.ESRCH: "the file system counts no projects (not mounted with prjquota)",
        errno.ENOTTY: "the file system has no projects",
        errno.EOPNOTSUPP: "the file system has no projects",
        errno.EINVAL: "the file system takes no project from here (its feature `project` is off, or a user namespace)",
    }.get(error.errno or 0, f"{error.strerror}")


def recorded_id(directory: int, tenant: str) -> int | None:
    """The id in .portal/project; None if there is none, or it is another tenant's (a copied directory)."""
    try:
        with os.fdopen(os.open(RECORD, READ, dir_fd=directory), encoding="utf-8", errors="replace") as file:
            number, _, name = file.read(200).strip().partition(" ")
    except FileNotFoundError:
        return None
    ours = name == tenant and number.isdecimal() and FIRST_ID <= int(number) < FIRST_ID + IDS
    return int(number) if ours else None


def choose_id(directory: int, tenant: str) -> int:
    """Choose an id that the file system does not use, and record it atomically. Raises Cannot."""
    # A project of an operator or of an engine's layers has a limit or a file.
    chosen = next((each for each in fresh_ids() if quota(directory, each) == (0, 0, 0)), None)
    if chosen is None:
        raise Cannot(f"all {TRIES} ids that were tried belong to other projects")
    new = f"{RECORD}.new"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600, dir_fd=directory)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{chosen} {tenant}\n")
        file.flush()
        os.fsync(file.fileno())
    os.rename(new, RECORD, src_dir_fd=directory, dst_dir_fd=directory)
    return chosen


class Walk:
    """Assigns a tree to a project, from below upwards; `entry_count` counts the entries."""

    def __init__(self, project: int, device: int) -> None:
        self.project, self.device, self.entry_count = project, device, 0
        # The first leased file: its directory's descriptor and its name; and the depth of the deepest one.
        self.leased: tuple[int, str] | None = None
        self.leased_at = -1
        # Whether the file system has taken a project from here.
        self.assigned_any = False

    def assign_tree(self, top: int) -> None:
        """Assign all below an open directory, then the directory itself, also if files are leased meanwhile. Raises Cannot."""
        skips_assigned = False
        for _ in range(MOST_LEASES):
            while not self.tree(os.dup(top), skips_assigned=skips_assigned):
                skips_assigned = True
            if self.leased is None:
                return
            await_release(*self.leased)
            # Directories that are assigned already are skipped from now on.
            self.leased, self.leased_at, skips_assigned = None, -1, True
        raise Cannot(f"a program of the portal takes leases on its files repeatedly; {LEASES}")

    def tree(self, top: int, *, skips_assigned: bool) -> bool:
        """Walk the tree once, at any depth; returns False if a directory was moved meanwhile.

        At most MOST_OPEN directories are open. Those above are opened again by `..`, and then entries that are assigned are
        skipped. A directory with a leased file below it is not assigned, so that the next walk finds the file.
        """
        stack = [OpenDirectory(top, skips_assigned=skips_assigned)]
        above = array("Q")
        try:
            while stack:
                here, depth = stack[-1], len(above) + len(stack)
                below = next(
                    (it for each in here.entries if (it := self.entry(each, here, depth)) is not None), None
                )
                if below is not None:
                    stack.append(OpenDirectory(below, skips_assigned=here.skips_assigned))
                    if len(stack) > MOST_OPEN:
                        above.append(stack.pop(0).close())
                    continue
                if (
                    depth > self.leased_at
                    and not here.assigned
                    and assign(here.descriptor, self.project, inherit=True)
                ):
                    # Read it again, for entries that were made between the scan and the assignment.
                    here.assigned = True
                    here.scan_again(skips_assigned=True)
                    continue
                self.leased_at = min(self.leased_at, depth - 1)
                if len(stack) == 1 and above:
                    parent = os.open("..", READ | os.O_DIRECTORY, dir_fd=here.descriptor)
                    stack.insert(0, OpenDirectory(parent, skips_assigned=True))
                    status = os.fstat(parent)
                    if (status.st_ino, status.st_dev) != (above.pop(), self.device):
                        return False
                    if self.leased_at == depth - 1:
                        stack[0].entries.close()
                stack.pop().close()
        finally:
            for each in stack:
                each.close()
        return True

    def entry(self, entry: "os.DirEntry[str]", parent: "OpenDirectory", depth: int) -> int | None:
        """Assign an entry; returns the open descriptor of a directory that has to be walked, else None."""
        # A link, a pipe or a socket uses no blocks, and an ioctl would have to open it.
        mode = mode_of(entry)
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            return None
        try:
            descriptor = os.open(entry.name, READ, dir_fd=parent.descriptor)
        except BlockingIOError:
            # A process has a lease on it (fcntl F_SETLEASE). The kernel breaks it now, after at most 45 s.
            self.leased_at = max(self.leased_at, depth)
            self.leased = self.leased or (os.dup(parent.descriptor), entry.name)
            return None
        except OSError as error:
            # It was deleted or replaced meanwhile.
            if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO):
                return None
            raise
        status = os.fstat(descriptor)
        goes_on = False
        try:
            # Mounts belong to another file system.
            if status.st_dev == self.device and stat.S_ISDIR(status.st_mode):
                goes_on = not (parent.skips_assigned and has_project(attributes(descriptor), self.project))
            elif status.st_dev == self.device and stat.S_ISREG(status.st_mode):
                self.assign_file(descriptor, entry.name)
            self.entry_count += not parent.skips_assigned
        finally:
            if not goes_on:
                os.close(descriptor)
        return descriptor if goes_on else None

    def assign_file(self, descriptor: int, name: str) -> None:
        """Assign an open file. Raises OSError; Cannot for a file that is refused where others were not."""
        try:
            assign(descriptor, self.project, inherit=False)
        except OSError as error:
            if not self.assigned_any:
                raise
            raise Cannot(
                f"the file system refuses the project of the file {name!a}: {error.strerror}"
            ) from None
        self.assigned_any = True


def await_release(directory: int, name: str) -> None:
    """Wait until a file has no lease any more or is gone, then close its directory's descriptor. Raises Cannot."""
    end = time.monotonic() + LEASE_SECONDS
    try:
        while time.monotonic() < end:
            try:
                os.close(os.open(name, READ, dir_fd=directory))
            except BlockingIOError:
                time.sleep(POLL_SECONDS)
            except OSError:
                return
            else:
                return
    finally:
        os.close(directory)
    raise Cannot(f"a program of the portal has a lease on {name!a} and does not release it; {LEASES}")


class OpenDirectory:
    """A directory that is being walked, by its descriptor: replaced paths do not lead elsewhere.

    `assigned` when it belongs to the project itself. With `skips_assigned` directories in it that belong to it are skipped.
    """

    def __init__(self, descriptor: int, *, skips_assigned: bool) -> None:
        self.descriptor, self.assigned, self.skips_assigned = descriptor, False, skips_assigned
        self.entries = os.scandir(descriptor)

    def scan_again(self, *, skips_assigned: bool) -> None:
        """Scan once more, from the first entry."""
        self.entries.close()
        self.skips_assigned, self.entries = skips_assigned, os.scandir(self.descriptor)

    def close(self) -> int:
        """Close the scan and the descriptor; returns the inode's number."""
        number = os.fstat(self.descriptor).st_ino
        self.entries.close()
        os.close(self.descriptor)
        return number


def mode_of(entry: "os.DirEntry[str]") -> int:
    """The mode of an entry, 0 if it was deleted."""
    try:
        return entry.stat(follow_symlinks=False).st_mode
    except FileNotFoundError:
        return 0


@contextmanager
def progress_until(seconds: int, walk: Walk) -> Iterator[None]:
    """Prints the progress of a walk every few seconds, and raises OutOfTime after its time limit."""
    passed = 0

    def tick(signum: int, frame: object) -> None:
        nonlocal passed
        passed += PROGRESS_SECONDS
        if passed >= seconds:
            raise OutOfTime
        print(f"project: {walk.entry_count} files and directories so far", flush=True)

    before = signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, PROGRESS_SECONDS, PROGRESS_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def hold(path: str, tenant: str, limit: int, files: int, seconds: int) -> str:
    """Assign the tree and set the limits of bytes and files; returns the last line. Raises Cannot, OSError."""
    directory = os.open(path, READ | os.O_DIRECTORY)
    walk = Walk(0, os.fstat(directory).st_dev)
    try:
        with progress_until(seconds, walk), exclusive(directory):
            walk.project = recorded_id(directory, tenant) or choose_id(directory, tenant)
            # Asked first, so that nothing is changed if quotas are not counted.
            quota(directory, walk.project)
            if not has_project(attributes(directory), walk.project):
                walk.assign_tree(directory)
            now = quota(directory, walk.project)
            # Full already, by the same limit: that of the files may be missing.
            if now.used >= limit != now.limit:
                return f"over {-(-now.used // 2**20)}"
            if now.files >= files:
                return f"over-files {now.files}"
            quotactl(directory, Q_SETQUOTA, walk.project, dqblk_of(limit, files))
    except OutOfTime:
        return f"unfinished {walk.entry_count}"
    return f"held {walk.project} {now.used // 2**20}"


def lift(path: str, tenant: str) -> str:
    """Remove the limits; returns the last line. The project stays, which costs nothing."""
    directory = os.open(path, READ | os.O_DIRECTORY)
    try:
        with progress_until(LIFT_SECONDS, Walk(0, 0)), exclusive(directory):
            project = recorded_id(directory, tenant)
            if project is not None and quota(directory, project).limit:
                quotactl(directory, Q_SETQUOTA, project, dqblk_of(0, 0))
    except OutOfTime:
        return f"cannot another run on the same portal did not end within {LIFT_SECONDS} s"
    return "lifted"


@contextmanager
def exclusive(directory: int) -> Iterator[None]:
    """Waits for another run on the same portal, which a killed command may have left, and keeps others out.

    A new run ends those of its own engine. This is for runs of another engine on the same host, and for one that is ending.
    """
    lock = os.open(".portal", READ | os.O_DIRECTORY, dir_fd=directory)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def main(words: list[str]) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="project-quota")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name in ("hold", "lift"):
        verb = verbs.add_parser(name)
        verb.add_argument("--tenant", required=True)
        verb.add_argument("directory")
        if name == "hold":
            verb.add_argument("--limit-mib", type=int, required=True)
            verb.add_argument("--limit-files", type=int, required=True)
            verb.add_argument("--seconds", type=int, default=1800)
    try:
        arguments = parser.parse_args(words)
    except SystemExit as error:
        return 64 if error.code else 0
    try:
        if arguments.verb == "lift":
            print(lift(arguments.directory, arguments.tenant))
        else:
            limit = arguments.limit_mib * 2**20
            print(
                hold(arguments.directory, arguments.tenant, limit, arguments.limit_files, arguments.seconds)
            )
    except Cannot as error:
        print(f"cannot {error}")
    except OSError as error:
        print(f"cannot {reason(error)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
