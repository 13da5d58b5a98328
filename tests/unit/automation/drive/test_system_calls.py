"""What the helper that sets limits may ask of the kernel."""

import json

import pytest

from automation.drive.system_calls import ALLOWED, IOCTLS, NEW_NAMESPACES, seccomp_profile


def test_what_is_not_named_is_refused() -> None:
    profile = seccomp_profile()
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    allowed = [each for each in profile["syscalls"] if each["action"] == "SCMP_ACT_ALLOW"]
    assert [each["names"] for each in allowed] == [[*ALLOWED], *[["ioctl"]] * len(IOCTLS), ["clone"]]
    assert len(set(ALLOWED)) == len(ALLOWED)
    assert json.loads(json.dumps(profile)) == profile


FORBIDDEN = """
add_key bpf chmod chown chroot clock_settime clone clone3 connect delete_module fchmodat fchownat finit_module fsconfig
fsmount fsopen fspick init_module io_uring_setup ioctl iopl kcmp kexec_load keyctl link linkat mknod mknodat mount
mount_setattr move_mount name_to_handle_at open_by_handle_at open_tree perf_event_open pivot_root process_vm_readv
process_vm_writev ptrace quotactl reboot request_key setdomainname sethostname setns setxattr socket swapon symlinkat
syslog umount2 unshare userfaultfd
"""


@pytest.mark.parametrize("name", FORBIDDEN.split())
def test_nothing_else_that_its_capabilities_open(name: str) -> None:
    assert name not in ALLOWED


def test_files_are_asked_for_their_project_and_little_else() -> None:
    """As include/uapi/linux/fs.h has them: direction, size, letter, number; and asm-generic/ioctls.h."""
    project = (2 << 30 | 28 << 16 | ord("X") << 8 | 31, 1 << 30 | 28 << 16 | ord("X") << 8 | 32)
    tcgets, fionclex, fioclex = 0x5401, 0x5450, 0x5451
    assert (*project, tcgets, fionclex, fioclex) == IOCTLS
    rules = [each["args"] for each in seccomp_profile()["syscalls"] if each["names"] == ["ioctl"]]
    assert [(arg["index"], arg["value"], arg["op"]) for (arg,) in rules] == [
        (1, each, "SCMP_CMP_EQ") for each in IOCTLS
    ]


def test_threads_but_no_namespaces() -> None:
    """As include/uapi/linux/sched.h has them: NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET."""
    flags = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
    assert sum(flags) == NEW_NAMESPACES
    (clone,) = (each for each in seccomp_profile()["syscalls"] if each["names"] == ["clone"])
    assert clone["args"] == [{"index": 0, "value": NEW_NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]
