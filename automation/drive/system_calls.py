"""The system calls that the helper may make which sets a portal's limit: what its Python needs, and nothing that CAP_SYS_ADMIN opens.

A list of its own, for Docker 20.10's has no quotactl_fd. What is not in it the kernel refuses (EPERM). Taken from traces of
whole runs on XFS and ext4, and of what the engine's own start of a container does under it; names that a machine or a
version of libseccomp does not know count for nothing. tests/e2e/test_images.py runs the helper under it.
"""

from typing import Any

# Bits of clone(2) that make namespaces: the start of a container makes threads, and nobody here needs more.
NEW_NAMESPACES = 0x7E020000
ENOSYS = 38
# The project of a file, asked and given; and what the C library asks of a terminal, and Python of a descriptor.
IOCTLS = (0x801C581F, 0x401C5820, 0x5401, 0x5450, 0x5451)
FILES = (
    *("access", "chdir", "close", "close_range", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fchdir", "fcntl"),
    *("flock", "fstat", "fstatfs", "fsync", "getcwd", "getdents64", "lseek", "lstat", "newfstatat", "open", "openat"),
    *("openat2", "pipe", "pipe2", "pread64", "read", "readlink", "readlinkat", "readv", "rename", "renameat", "renameat2"),
    *("stat", "statfs", "statx", "umask", "unlink", "unlinkat", "write", "writev"),
)  # fmt: skip
MEMORY = ("brk", "madvise", "membarrier", "mmap", "mprotect", "mremap", "munmap")
PROCESS = (
    *("arch_prctl", "capget", "capset", "execve", "exit", "exit_group", "futex", "getegid", "geteuid", "getgid"),
    *("getgroups", "getpgrp", "getpid", "getppid", "getrandom", "getresgid", "getresuid", "getrlimit", "getsid"),
    *("gettid", "getuid", "kill", "pause", "prctl", "prlimit64", "rseq", "sched_getaffinity", "sched_yield"),
    *("set_robust_list", "set_tid_address", "setgid", "setgroups", "setresgid", "setresuid", "setrlimit", "setsid"),
    *("setuid", "sigaltstack", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend"),
    *("rt_sigtimedwait", "restart_syscall", "sysinfo", "tgkill", "uname", "wait4", "waitid"),
)  # fmt: skip
TIME = (
    *("clock_getres", "clock_gettime", "clock_nanosleep", "getitimer", "gettimeofday", "nanosleep", "setitimer", "time"),
    *("epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait", "eventfd2", "poll", "ppoll", "pselect6", "select"),
)  # fmt: skip
# What it is there for is quotactl_fd.
ALLOWED = ("quotactl_fd", *FILES, *MEMORY, *PROCESS, *TIME)


def seccomp_profile() -> dict[str, Any]:
    """The list, as Docker takes it."""
    conditions = [{"index": 1, "value": each, "valueTwo": 0, "op": "SCMP_CMP_EQ"} for each in IOCTLS]
    threads = {"index": 0, "value": NEW_NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "syscalls": [
            {"names": list(ALLOWED), "action": "SCMP_ACT_ALLOW"},
            # Others freeze a file system, or write past its files.
            *({"names": ["ioctl"], "action": "SCMP_ACT_ALLOW", "args": [each]} for each in conditions),
            {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [threads]},
            # Its flags stand in memory, where no list can look; without it the C library takes clone.
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS},
        ],
    }
