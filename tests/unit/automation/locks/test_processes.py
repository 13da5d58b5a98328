"""Who is seen from where: processes, and the kernel behind a path."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from automation.locks import processes


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is no pulumi, and runs."""
    made = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield made
    made.communicate(b"\n", timeout=30)


def test_a_number_that_was_given_anew_holds_nothing(sleeper: subprocess.Popen[bytes]) -> None:
    assert processes.may_hold(sleeper.pid, time.time() + 60)
    assert not processes.may_hold(sleeper.pid, time.time() - 60)


def test_a_pulumi_of_that_number_may_hold_it_whenever_it_began(tmp_path: Path) -> None:
    program = tmp_path / "pulumi"
    program.symlink_to("/bin/sleep")
    made = subprocess.Popen([str(program), "30"])
    try:
        assert processes.may_hold(made.pid, time.time() - 3600)
        assert processes.may_hold(0, 0.0)
    finally:
        made.kill()
        made.wait(timeout=30)
    assert not processes.may_hold(made.pid, time.time())


MOUNTS = """\
22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:40 / /srv/drive rw - nfs4 server:/portals rw
24 22 0:41 / /srv/drive/local rw shared:7 master:3 - xfs /dev/vdb rw
25 22 0:42 / /mnt/two\\040words rw - fuse.sshfs host: rw
26 22 0:43 / /over rw - tmpfs tmpfs rw
27 22 0:44 / /over rw - 9p share rw
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/root/.local/share/portals/state", "ext4"),
        ("/srv/drive/state", "nfs4"),
        ("/srv/drive", "nfs4"),
        ("/srv/drives", "ext4"),
        ("/srv/drive/local/x", "xfs"),
        ("/mnt/two words/x", "fuse.sshfs"),
        ("/over/x", "9p"),
    ],
)
def test_the_file_system_of_a_path(path: str, expected: str) -> None:
    assert processes.file_system_kind(MOUNTS, Path(path)) == expected


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "9p", "virtiofs", "fuse.sshfs", "ceph", "gfs2", "ocfs2", ""]
)
def test_what_several_kernels_may_write_to_proves_nothing(kind: str) -> None:
    assert kind not in processes.SINGLE_KERNEL_KINDS
