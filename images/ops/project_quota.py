"""project-quota hold|lift DIRECTORY …: a file system's own limit (project quota of XFS and ext4) on a portal's directory.

    hold --tenant NAME --limit-mib N --seconds N DIRECTORY
    lift --tenant NAME DIRECTORY

`hold` gives the directory and all below it one project, which what is made later inherits, then sets the project's limit.
The directory itself is last: while it has no project the work is not done, and `hold` goes through all of it again, which
for what has its project already is a question a file. The project's number follows from the tenant's name; one that the
file system knows already is passed over, and what was chosen is written down in .portal/project before it is used.

No block device is needed: quotactl_fd(2) (Linux 5.14) takes a directory, and the ioctl a file. The limit takes
CAP_SYS_ADMIN outside of user namespaces, others' files CAP_FOWNER, and their directories CAP_DAC_READ_SEARCH.

The last line says how it ended: `held ID MIB`, `lifted`, `over MIB` (more is taken than the limit; none was set),
`unfinished FILES` (not within the seconds; the next run goes on) or `cannot WHY`; all with exit code 0. 64: called wrongly.
"""

import argparse
import ctypes
import errno
import fcntl
import hashlib
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
FS_XFLAG_PROJINHERIT = 0x200
# include/uapi/linux/quota.h: struct if_dqblk. Blocks are KiB, what is used is bytes.
DQBLK = struct.Struct("=8QI4x")
QIF_BLIMITS = 1
PRJQUOTA = 2
Q_GETQUOTA, Q_SETQUOTA = 0x800007, 0x800008
# One number on every machine since system calls are numbered together.
SYS_QUOTACTL_FD = 443
# Above what people write into /etc/projid by hand, and what engines number their own layers with.
FIRST_ID, IDS, TRIES = 1 << 30, 1 << 30, 16
RECORD = ".portal/project"
PROGRESS_SECONDS = 5
# Directories that are open at once, of a tree that may be a million deep.
MOST_OPEN = 200
# The kernel takes a lease back after /proc/sys/fs/lease-break-time, 45 s.
LEASE_SECONDS, MOST_LEASES = 90, 5
POLL_SECONDS = 0.5
LIFT_SECONDS = 60
LEASES = "see /proc/locks on the engine's host for which program that is, and stop its container"
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Late(Exception):
    """The seconds are over."""


class Cannot(Exception):
    """The file system or the kernel does not do it."""


class Attributes(NamedTuple):
    """What an inode says of itself."""

    xflags: int
    extsize: int
    extents: int
    project: int
    cowextsize: int


class Quota(NamedTuple):
    """A project's limit and what it has taken, in bytes, and its files."""

    limit: int
    used: int
    files: int


def encoded(limit: int) -> bytes:
    """A limit of bytes (a multiple of 1024) as the kernel takes it; 0 for none. Everything else stays as it is."""
    return DQBLK.pack(limit // 1024, 0, 0, 0, 0, 0, 0, 0, QIF_BLIMITS)


def decoded(told: bytes) -> Quota:
    """What the kernel answers."""
    limit, _, used, _, _, files, _, _, _ = DQBLK.unpack(told)
    return Quota(limit=limit * 1024, used=used, files=files)


def candidates(tenant: str) -> Iterator[int]:
    """The numbers that a tenant's project may have, the first that is free being it."""
    for number in range(TRIES):
        digest = hashlib.sha256(f"{tenant}\n{number}".encode()).digest()
        yield FIRST_ID + int.from_bytes(digest[:8], "big") % IDS


def attributes(descriptor: int) -> Attributes:
    """Of an open file or directory."""
    told = fcntl.ioctl(descriptor, FS_IOC_FSGETXATTR, bytes(FSXATTR.size))
    return Attributes(*FSXATTR.unpack(told))


def given(told: Attributes, project: int) -> bool:
    """Whether a directory has a project and hands it down."""
    return told.project == project and bool(told.xflags & FS_XFLAG_PROJINHERIT)


def give(descriptor: int, project: int, *, inherit: bool) -> bool:
    """Give an open file or directory its project; whether it had another, or (a directory) did not hand it down."""
    had = attributes(descriptor)
    xflags = had.xflags | FS_XFLAG_PROJINHERIT if inherit else had.xflags
    if (had.project, had.xflags) == (project, xflags):
        return False
    fcntl.ioctl(
        descriptor,
        FS_IOC_FSSETXATTR,
        FSXATTR.pack(*had._replace(xflags=xflags, project=project)),
    )
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
    """What a file system has of a project: nothing of one that it does not know."""
    try:
        return decoded(quotactl(descriptor, Q_GETQUOTA, project, b""))
    except OSError as error:
        # XFS, of a number that nobody has used.
        if error.errno == errno.ENOENT:
            return Quota(limit=0, used=0, files=0)
        raise Cannot(reason(error)) from None


def reason(error: OSError) -> str:
    """Why the kernel has refused, in words for the operator."""
    return {
        errno.ENOSYS: "the file system counts no projects (not mounted with prjquota), or the kernel is older than Linux 5.14",
        errno.EPERM: "the engine lends no container CAP_SYS_ADMIN of the host (user namespaces, rootless)",
        errno.ESRCH: "the file system counts no projects (not mounted with prjquota)",
        errno.ENOTTY: "the file system has no projects",
        errno.EOPNOTSUPP: "the file system has no projects",
        errno.EINVAL: "the file system takes no project from here (its feature `project` is off, or a user namespace)",
    }.get(error.errno or 0, f"{error.strerror}")


def recorded(directory: int, tenant: str) -> int | None:
    """The number that was chosen for this tenant, None where there is none or it is another's (a copy of its directory)."""
    try:
        with os.fdopen(os.open(RECORD, READ, dir_fd=directory), encoding="utf-8", errors="replace") as file:
            number, _, name = file.read(200).strip().partition(" ")
    except FileNotFoundError:
        return None
    return (
        int(number) if name == tenant and number.isdecimal() and int(number) in candidates(tenant) else None
    )


def choose(directory: int, tenant: str) -> int:
    """A number that the file system knows nothing of, written down whole or not at all. Raises Cannot."""
    # A project of an operator's, or of an engine's layers, has a limit or a file.
    chosen = next((each for each in candidates(tenant) if quota(directory, each) == (0, 0, 0)), None)
    if chosen is None:
        raise Cannot(f"{TRIES} numbers that {tenant} may have are taken by other projects")
    new = f"{RECORD}.new"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644, dir_fd=directory)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{chosen} {tenant}\n")
        file.flush()
        os.fsync(file.fileno())
    os.rename(new, RECORD, src_dir_fd=directory, dst_dir_fd=directory)
    return chosen


class Walk:
    """Gives a tree its project from below upwards; `seen` counts what was looked at."""

    def __init__(self, project: int, device: int) -> None:
        self.project, self.device, self.seen = project, device, 0
        # Of the last file that could not be opened: its directory, held open, its name, and how deep that is.
        self.leased: tuple[int, str] | None = None
        self.leased_at = -1

    def all_of(self, top: int) -> None:
        """All below an open directory, and itself, until nothing is left. Raises Cannot."""
        passes_by = False
        for _ in range(MOST_LEASES):
            while not self.tree(os.dup(top), passes_by=passes_by):
                passes_by = True
            if self.leased is None:
                return
            await_release(*self.leased)
            # What is done is passed by from now on.
            self.leased, self.leased_at, passes_by = None, -1, True
        raise Cannot(f"a program of the portal takes leases on its files again and again; {LEASES}")

    def tree(self, top: int, *, passes_by: bool) -> bool:
        """The same once, whatever its depth: who may write there may nest as they like. False where it was moved about meanwhile.

        So many directories are open at once. Those above are found again by `..`, and what is done in them is passed by then.
        What has a file with a lease below it is not marked, nor gone through to its end where that would be for ever.
        """
        open_ones = [Open(top, passes_by=passes_by)]
        above = array("Q")
        try:
            while open_ones:
                here, depth = open_ones[-1], len(above) + len(open_ones)
                below = next(
                    (it for each in here.entries if (it := self.entry(each, here, depth)) is not None), None
                )
                if below is not None:
                    open_ones.append(Open(below, passes_by=here.passes_by))
                    if len(open_ones) > MOST_OPEN:
                        above.append(open_ones.pop(0).close())
                    continue
                if (
                    depth > self.leased_at
                    and not here.marked
                    and give(here.descriptor, self.project, inherit=True)
                ):
                    # Once more, for what was made between the list and the mark.
                    here.marked = True
                    here.begin(passes_by=True)
                    continue
                self.leased_at = min(self.leased_at, depth - 1)
                if len(open_ones) == 1 and above:
                    parent = os.open("..", READ | os.O_DIRECTORY, dir_fd=here.descriptor)
                    open_ones.insert(0, Open(parent, passes_by=True))
                    told = os.fstat(parent)
                    if (told.st_ino, told.st_dev) != (above.pop(), self.device):
                        return False
                    if self.leased_at == depth - 1:
                        open_ones[0].entries.close()
                open_ones.pop().close()
        finally:
            for each in open_ones:
                each.close()
        return True

    def entry(self, found: "os.DirEntry[str]", parent: "Open", depth: int) -> int | None:
        """Give a file its project; a directory that is still to be gone through comes back open."""
        # A link, a pipe or a socket holds nothing, and no ioctl reaches it unopened.
        mode = kind(found)
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            return None
        try:
            descriptor = os.open(found.name, READ, dir_fd=parent.descriptor)
        except BlockingIOError:
            # Somebody has a lease on it, which the kernel now takes back: after 45 s, if they do not let go.
            self.leased_at = max(self.leased_at, depth)
            self.leased = self.leased or (os.dup(parent.descriptor), found.name)
            return None
        except OSError as error:
            # Gone, or something else meanwhile.
            if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO):
                return None
            raise
        told = os.fstat(descriptor)
        goes_on = False
        try:
            # What is mounted there is another file system's.
            if told.st_dev == self.device and stat.S_ISDIR(told.st_mode):
                goes_on = not (parent.passes_by and given(attributes(descriptor), self.project))
            elif told.st_dev == self.device and stat.S_ISREG(told.st_mode):
                give(descriptor, self.project, inherit=False)
            self.seen += not parent.passes_by
        finally:
            if not goes_on:
                os.close(descriptor)
        return descriptor if goes_on else None


def await_release(directory: int, name: str) -> None:
    """Wait until a file in an open directory, which is closed then, has no lease any more, or is gone. Raises Cannot."""
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
    raise Cannot(f"a program of the portal has a lease on {name!a} and does not let go; {LEASES}")


class Open:
    """A directory that is being gone through, by its descriptor: no path leads elsewhere meanwhile.

    `marked` once it has the project itself; with `passes_by` directories in it that have it, too, are done.
    """

    def __init__(self, descriptor: int, *, passes_by: bool) -> None:
        self.descriptor, self.marked, self.passes_by = descriptor, False, passes_by
        self.entries = os.scandir(descriptor)

    def begin(self, *, passes_by: bool) -> None:
        """From its first entry on."""
        self.entries.close()
        self.passes_by, self.entries = passes_by, os.scandir(self.descriptor)

    def close(self) -> int:
        """Once it is done, or too many are open; its inode's number."""
        number = os.fstat(self.descriptor).st_ino
        self.entries.close()
        os.close(self.descriptor)
        return number


def kind(entry: "os.DirEntry[str]") -> int:
    """What an entry is, 0 for one that has gone."""
    try:
        return entry.stat(follow_symlinks=False).st_mode
    except FileNotFoundError:
        return 0


@contextmanager
def limited(seconds: int, walk: Walk) -> Iterator[None]:
    """Says how far a walk is every few seconds, and raises Late when its time is over."""
    passed = 0

    def tick(signum: int, frame: object) -> None:
        nonlocal passed
        passed += PROGRESS_SECONDS
        if passed >= seconds:
            raise Late
        print(f"project: {walk.seen} files and directories so far", flush=True)

    before = signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, PROGRESS_SECONDS, PROGRESS_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def hold(path: str, tenant: str, limit: int, seconds: int) -> str:
    """How it ended. Raises Cannot, OSError."""
    directory = os.open(path, READ | os.O_DIRECTORY)
    walk = Walk(0, os.fstat(directory).st_dev)
    try:
        with limited(seconds, walk), alone(directory):
            walk.project = recorded(directory, tenant) or choose(directory, tenant)
            # Asked first, so that nothing is touched where nothing is counted.
            quota(directory, walk.project)
            if not given(attributes(directory), walk.project):
                walk.all_of(directory)
            used = quota(directory, walk.project).used
            if used >= limit:
                return f"over {-(-used // 2**20)}"
            quotactl(directory, Q_SETQUOTA, walk.project, encoded(limit))
    except Late:
        return f"unfinished {walk.seen}"
    return f"held {walk.project} {used // 2**20}"


def lift(path: str, tenant: str) -> str:
    """Take the limit away; the project stays, which without one costs nothing."""
    directory = os.open(path, READ | os.O_DIRECTORY)
    try:
        with limited(LIFT_SECONDS, Walk(0, 0)), alone(directory):
            project = recorded(directory, tenant)
            if project is not None and quota(directory, project).limit:
                quotactl(directory, Q_SETQUOTA, project, encoded(0))
    except Late:
        return f"cannot another run on the same portal did not end within {LIFT_SECONDS} s"
    return "lifted"


@contextmanager
def alone(directory: int) -> Iterator[None]:
    """Waits for another run on the same portal, which a killed command may have left: its limit would be the later one.

    A new run ends those that its own engine has. This is for another engine on the same host, and for one that is just ending.
    """
    lock = os.open(".portal", READ | os.O_DIRECTORY, dir_fd=directory)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def main(words: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="project-quota")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name in ("hold", "lift"):
        verb = verbs.add_parser(name)
        verb.add_argument("--tenant", required=True)
        verb.add_argument("directory")
        if name == "hold":
            verb.add_argument("--limit-mib", type=int, required=True)
            verb.add_argument("--seconds", type=int, default=1800)
    try:
        told = parser.parse_args(words)
    except SystemExit as error:
        return 64 if error.code else 0
    try:
        if told.verb == "lift":
            print(lift(told.directory, told.tenant))
        else:
            print(hold(told.directory, told.tenant, told.limit_mib * 2**20, told.seconds))
    except Cannot as error:
        print(f"cannot {error}")
    except OSError as error:
        print(f"cannot {reason(error)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
