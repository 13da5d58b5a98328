"""Where a process runs, and what it can know of others from there: kernel, PID namespace, file system.

All of it is Linux's, from /proc; elsewhere nothing is known, and nothing that needs proof is concluded.
"""

import os
import pwd
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
# The first PID namespace of a kernel, in which every process is seen:
# https://github.com/torvalds/linux/blob/v6.1/include/linux/proc_ns.h#L45 (PROC_PID_INIT_INO)
FIRST_NAMESPACE = "pid:[4026531836]"
# File systems that one kernel alone writes to: its locks are all the locks that there are, and who took one before this
# kernel started is gone. NFS, CIFS, FUSE, 9p, virtiofs and clusters' are not among them, nor is what is not known.
SINGLE_KERNEL_KINDS = frozenset(
    {"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "tmpfs", "xfs", "zfs"}
)
# What the clock may have been set by between a lock's time and a process's.
CLOCK_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class ProcessLocation:
    """A kernel's run (boot id), a PID namespace of it, and the host's name; empty where it cannot be known."""

    boot: str
    pids: str
    host: str

    @classmethod
    def current(cls) -> "ProcessLocation":
        """This process's."""
        return cls(boot=boot(), pids=namespace(), host=socket.gethostname())

    @property
    def is_known(self) -> bool:
        """Whether kernel and namespace can be told from others."""
        return bool(self.boot and self.pids)


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process by its number, and when it started (clock ticks since the kernel did): numbers are given anew."""

    pid: int
    started: int

    @classmethod
    def with_pid(cls, pid: int) -> "Process | None":
        """The one that has this number here now, None where there is none (a zombie has ended)."""
        try:
            # `pid (name) state parent … started …`: the name may hold blanks and brackets.
            fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else cls(pid=pid, started=int(fields[19]))

    @property
    def is_running(self) -> bool:
        """Whether it still does, as seen from its own PID namespace."""
        return Process.with_pid(self.pid) == self


def user() -> str:
    """Who this process is, by the machine's records; the number where they have no name for it."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def boot() -> str:
    """A text that no other run of any kernel has; containers see their host's."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def namespace() -> str:
    """This process's PID namespace; empty where /proc shows another one's processes."""
    try:
        if (PROC / "self").readlink() != Path(str(os.getpid())):
            return ""
        return str((PROC / "self/ns/pid").readlink())
    except OSError:
        return ""


def sees_all_processes() -> bool:
    """Whether every process of this kernel is seen from here."""
    # Of another user's, too: /proc may be mounted so that it hides them.
    return namespace() == FIRST_NAMESPACE and os.access(PROC / "1/status", os.R_OK)


def folders_of_pid(pid: int) -> Iterator[Path]:
    """The folders of the processes that call themselves `pid`, in whatever PID namespace below this one; any for 0."""
    for folder in PROC.glob("[0-9]*"):
        try:
            status = (folder / "status").read_text()
        except OSError:
            continue
        rows = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        own = rows.get("NSpid", rows["Pid"]).split()[-1]
        if own == str(pid) or not pid:
            yield folder


def may_hold(pid: int, since: float) -> bool:
    """Whether a process that is seen from here may be the `pulumi` that called itself `pid` at `since` (seconds of the clock).

    One of that number that is no pulumi and started later has been given the number anew. With no pid, any pulumi may be.
    """
    for folder in folders_of_pid(pid):
        process = Process.with_pid(int(folder.name))
        if process is None:
            continue
        if "pulumi" in program_of(folder) or (pid and start_time(process) <= since + CLOCK_SECONDS):
            return True
    return False


def program_of(folder: Path) -> str:
    """What a process was started as; empty where that cannot be seen."""
    try:
        return (folder / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
    except OSError:
        return ""


def start_time(process: Process) -> float:
    """When a process started, by the clock of now."""
    counters = dict(
        line.split(maxsplit=1) for line in (PROC / "stat").read_text().splitlines() if " " in line
    )
    return int(counters["btime"]) + process.started / os.sysconf("SC_CLK_TCK")


def is_single_kernel(path: Path) -> bool:
    """Whether what lies at `path` is on a file system that no other kernel writes to."""
    try:
        mounts = (PROC / "self/mountinfo").read_text()
    except OSError:
        return False
    return file_system_kind(mounts, path.resolve()) in SINGLE_KERNEL_KINDS


def file_system_kind(mounts: str, path: Path) -> str:
    """The kind of the file system that a path lies on, by /proc/self/mountinfo; empty when none covers it."""
    best = ("", "")
    for line in mounts.splitlines():
        # `id parent major:minor root MOUNTED options [tags] - KIND source options`; blanks are written as \040.
        head, _, tail = line.partition(" - ")
        where = head.split()[4].encode().decode("unicode_escape")
        # Of two at the same place the later one covers the earlier.
        if path.is_relative_to(where) and len(where) >= len(best[0]):
            best = (where, tail.split()[0])
    return best[1]
