"""images/ops/project_quota.py: what it asks the kernel for, and how it goes through a tree; the kernel's part is played.

Against a real one it was tried once (docs/decisions/0017): few kernels have project quotas at hand.
"""

import errno
import importlib.util
import os
import resource
import stat
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).resolve().parents[4] / "images/ops/project_quota.py"
MIB = 2**20
# More files than any portal here has.
MOST = 100_000


@pytest.fixture
def tool() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("project_quota", TOOL)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    sys.modules["project_quota"] = made
    spec.loader.exec_module(made)
    yield made
    del sys.modules["project_quota"]


class Kernel:
    """A file system with projects: what inodes have, what is counted, and the limits."""

    def __init__(self, tool: ModuleType) -> None:
        self.tool = tool
        self.attributes: dict[int, tuple[int, int]] = {}
        self.order: list[int] = []
        self.limits: dict[int, int] = {}
        self.most_files: dict[int, int] = {}
        self.others: dict[int, int] = {}
        self.sizes: dict[int, int] = {}
        self.dies_after = -1

    def ioctl(self, descriptor: int, request: int, data: bytes) -> bytes:
        inode = os.fstat(descriptor).st_ino
        xflags, project = self.attributes.get(inode, (0, 0))
        if request == self.tool.FS_IOC_FSGETXATTR:
            return struct.pack("=5I8x", xflags, 0, 0, project, 0)
        assert request == self.tool.FS_IOC_FSSETXATTR
        if len(self.order) == self.dies_after:
            raise KeyboardInterrupt
        fields = struct.unpack("=5I8x", data)
        assert len(data) == 28
        self.attributes[inode] = (fields[0], fields[3])
        self.sizes[inode] = os.fstat(descriptor).st_size
        self.order.append(inode)
        return data

    def quotactl(self, descriptor: int, command: int, project: int, data: bytes) -> bytes:
        if command == self.tool.Q_SETQUOTA:
            limit, _, _, most, *_, valid = struct.unpack("=8QI4x", data)
            assert valid == 1 | 4
            self.limits[project], self.most_files[project] = limit * 1024, most
            return data
        used = self.others.get(project, 0) + sum(
            self.sizes[inode] for inode, (_, has) in self.attributes.items() if has == project
        )
        files = sum(has == project for _, has in self.attributes.values()) + (project in self.others)
        if not files and project not in self.limits:
            raise OSError(errno.ENOENT, "No such file or directory")
        return struct.pack("=8QI4x", self.limits.get(project, 0) // 1024, 0, used, 0, 0, files, 0, 0, 0)


@pytest.fixture
def kernel(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel(tool)
    monkeypatch.setattr(tool.fcntl, "ioctl", made.ioctl)
    monkeypatch.setattr(tool, "quotactl", made.quotactl)
    return made


@pytest.fixture
def portal(tmp_path: Path) -> Path:
    (tmp_path / "acme/.portal").mkdir(parents=True)
    (tmp_path / "acme/media/a/b").mkdir(parents=True)
    for name in ("acme/media/one", "acme/media/a/two", "acme/media/a/b/three"):
        (tmp_path / name).write_bytes(b"x" * 1000)
    (tmp_path / "outside").write_text("another's")
    (tmp_path / "acme/media/link").symlink_to(tmp_path / "outside")
    os.mkfifo(tmp_path / "acme/media/pipe")
    return tmp_path / "acme"


def project_of(kernel: Kernel, path: Path) -> int:
    return kernel.attributes.get(path.stat().st_ino, (0, 0))[1]


def chosen(portal: Path) -> int:
    """The number of a portal's project, as it is recorded."""
    return int((portal / ".portal/project").read_text().split()[0])


def left_out(kernel: Kernel, portal: Path, project: int) -> list[str]:
    """What should have the project and has not."""
    return [
        str(path)
        for path in (portal, *portal.rglob("*"))
        if not path.is_symlink()
        and (stat.S_ISREG(path.stat().st_mode) or path.is_dir())
        and project_of(kernel, path) != project
    ]


def test_the_kernel_s_structures_and_numbers(tool: ModuleType) -> None:
    """As include/uapi/linux/{fs,quota}.h have them; ioctl numbers are direction, size, letter, number."""
    assert (tool.FSXATTR.size, tool.DQBLK.size) == (28, 72)
    assert 2 << 30 | 28 << 16 | ord("X") << 8 | 31 == tool.FS_IOC_FSGETXATTR
    assert 1 << 30 | 28 << 16 | ord("X") << 8 | 32 == tool.FS_IOC_FSSETXATTR
    assert struct.unpack_from("=8Q", tool.dqblk_of(5 * MIB, 7)) == (5 * 1024, 0, 0, 7, 0, 0, 0, 0)
    # QIF_BLIMITS and QIF_ILIMITS.
    assert struct.unpack_from("=I", tool.dqblk_of(5 * MIB, 7), 64) == (5,)
    packed = struct.pack("=8QI4x", 5 * 1024, 0, 4097, 0, 0, 7, 0, 0, 63)
    assert tool.quota_from(packed) == tool.Quota(limit=5 * MIB, used=4097, files=7)


def test_nobody_knows_a_number_before_and_it_meets_nobody_s_by_hand(tool: ModuleType) -> None:
    """Whoever knew a portal's could give it his own files, until its quota is used up."""
    first, second = list(tool.fresh_ids()), list(tool.fresh_ids())
    assert len({*first, *second}) == 2 * tool.TRIES
    assert all(2**30 <= each < 2**31 for each in (*first, *second))


def test_the_number_is_recorded_for_root_alone(tool: ModuleType, kernel: Kernel, portal: Path) -> None:
    tool.hold(str(portal), "acme", 10 * MIB, MOST, 60)
    assert stat.S_IMODE((portal / ".portal/project").stat().st_mode) == 0o600


def test_everything_gets_it_the_top_last_and_nothing_behind_a_link(
    tool: ModuleType, kernel: Kernel, portal: Path
) -> None:
    said = tool.hold(str(portal), "acme", 10 * MIB, MOST, 60)
    first = chosen(portal)
    assert said.split()[:2] == ["held", str(first)]
    assert left_out(kernel, portal, first) == []
    assert kernel.order[-1] == portal.stat().st_ino
    assert project_of(kernel, portal.parent / "outside") == 0
    assert (kernel.limits, kernel.most_files) == ({first: 10 * MIB}, {first: MOST})
    assert (portal / ".portal/project").read_text() == f"{first} acme\n"
    flags, _ = kernel.attributes[(portal / "media/a").stat().st_ino]
    assert flags & tool.FS_XFLAG_PROJINHERIT
    flags, _ = kernel.attributes[(portal / "media/one").stat().st_ino]
    assert not flags & tool.FS_XFLAG_PROJINHERIT


@pytest.mark.parametrize("after", range(8))
def test_killed_anywhere_the_same_again_ends_whole(
    tool: ModuleType, kernel: Kernel, portal: Path, after: int
) -> None:
    kernel.dies_after = after
    with pytest.raises(KeyboardInterrupt):
        tool.hold(str(portal), "acme", 10 * MIB, MOST, 60)
    assert kernel.limits == {}
    kernel.dies_after = -1
    first = chosen(portal)
    assert tool.hold(str(portal), "acme", 10 * MIB, MOST, 60).startswith(f"held {first} ")
    assert left_out(kernel, portal, first) == []


def test_what_is_made_between_the_list_and_the_mark_is_not_forgotten(
    tool: ModuleType, kernel: Kernel, portal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = (portal / "media").stat().st_ino
    plain = kernel.ioctl

    def ioctl(descriptor: int, request: int, data: bytes) -> bytes:
        # The walk has its list of media by the time it marks it.
        if request == tool.FS_IOC_FSSETXATTR and os.fstat(descriptor).st_ino == media:
            (portal / "media/late").mkdir(exist_ok=True)
            (portal / "media/late/file").write_bytes(b"x")
        return plain(descriptor, request, data)

    monkeypatch.setattr(tool.fcntl, "ioctl", ioctl)
    tool.hold(str(portal), "acme", 10 * MIB, MOST, 60)
    assert left_out(kernel, portal, chosen(portal)) == []


def test_a_second_time_only_the_limit_is_set(tool: ModuleType, kernel: Kernel, portal: Path) -> None:
    tool.hold(str(portal), "acme", 10 * MIB, MOST, 60)
    kernel.order.clear()
    assert tool.hold(str(portal), "acme", 20 * MIB, MOST, 60).startswith("held ")
    assert (kernel.order, list(kernel.limits.values())) == ([], [20 * MIB])


def test_a_number_that_is_in_use_is_passed_over(
    tool: ModuleType, kernel: Kernel, portal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = list(tool.fresh_ids())[:3]
    monkeypatch.setattr(tool, "fresh_ids", lambda: iter((first, second, third)))
    kernel.others[first] = 5
    kernel.limits[second] = MIB
    assert tool.hold(str(portal), "acme", 10 * MIB, MOST, 60).startswith(f"held {third} ")
    assert kernel.limits == {second: MIB, third: 10 * MIB}


@pytest.mark.parametrize(
    "text", ["{0} oak\n", "60001 acme\n", "-{0} acme\n", "2147483648 acme\n", "x", "", "{0}"]
)
def test_the_record_of_another_directory_is_not_believed(
    tool: ModuleType, kernel: Kernel, portal: Path, text: str
) -> None:
    """One that was copied, or written by hand: its number would be another's."""
    other = next(tool.fresh_ids())
    (portal / ".portal/project").write_text(text.format(other))
    assert tool.hold(str(portal), "acme", 10 * MIB, MOST, 60).startswith("held ")
    (has,) = kernel.limits
    assert (portal / ".portal/project").read_text() == f"{has} acme\n"
    assert has not in (other, 60001, 2**31)


def test_a_number_of_before_is_kept(tool: ModuleType, kernel: Kernel, portal: Path) -> None:
    """Once it followed from the name."""
    (portal / ".portal/project").write_text("1900731709 acme\n")
    assert tool.hold(str(portal), "acme", 10 * MIB, MOST, 60).startswith("held 1900731709 ")


def test_too_many_files_are_told_and_no_limit_is_set(tool: ModuleType, kernel: Kernel, portal: Path) -> None:
    files = 1 + sum(path.is_dir() or path.is_file() for path in portal.rglob("*") if not path.is_symlink())
    # The record of the number is one more.
    assert tool.hold(str(portal), "acme", 10 * MIB, files + 1, 60) == f"over-files {files + 1}"
    assert kernel.limits == {}
    assert tool.hold(str(portal), "acme", 10 * MIB, files + 2, 60).startswith("held ")


def refuses(
    kernel: Kernel, inode: int, flags: int, number: int = errno.EINVAL
) -> Callable[[int, int, bytes], bytes]:
    """A kernel that takes no attributes of one inode while they have one of these flags."""

    def ioctl(descriptor: int, request: int, data: bytes) -> bytes:
        xflags, *_ = struct.unpack("=5I8x", data)
        if (
            request == kernel.tool.FS_IOC_FSSETXATTR
            and os.fstat(descriptor).st_ino == inode
            and xflags & flags
        ):
            raise OSError(number, os.strerror(number))
        return kernel.ioctl(descriptor, request, data)

    return ioctl


def test_a_file_that_its_owner_has_made_refuse_a_project_gets_one(
    tool: ModuleType, kernel: Kernel, portal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """XFS: the flag for direct access first, then shared blocks; as they are, such attributes cannot be set again."""
    odd = (portal / "media/a/two").stat().st_ino
    kernel.attributes[odd] = (tool.FS_XFLAG_DAX | 0x40, 0)
    monkeypatch.setattr(tool.fcntl, "ioctl", refuses(kernel, odd, tool.FS_XFLAG_DAX))
    assert tool.hold(str(portal), "acme", 10 * MIB, MOST, 60).startswith("held ")
    assert kernel.attributes[odd] == (0x40, chosen(portal))


def test_a_file_that_alone_is_refused_is_named(
    tool: ModuleType, kernel: Kernel, portal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name is text of others, written out; the file system is not blamed."""
    odd = portal / "media/z\nheld 1 1"
    odd.write_text("x")
    kernel.attributes[odd.stat().st_ino] = (0x40, 0)
    monkeypatch.setattr(tool.fcntl, "ioctl", refuses(kernel, odd.stat().st_ino, 0x40))
    walk = tool.Walk(5, portal.stat().st_dev)
    walk.assigned_any = True
    with pytest.raises(tool.Cannot) as raised:
        walk.assign_tree(os.open(portal, os.O_RDONLY))
    assert str(raised.value) == (
        r"the file system refuses the project of the file 'z\nheld 1 1': Invalid argument"
    )


def test_a_full_portal_gets_the_limit_of_files_that_it_lacks(
    tool: ModuleType, kernel: Kernel, portal: Path
) -> None:
    tool.hold(str(portal), "acme", 10 * MIB, MOST, 60)
    project = chosen(portal)
    kernel.others[project] = 10 * MIB
    assert tool.hold(str(portal), "acme", 10 * MIB, 2 * MOST, 60) == f"held {project} 10"
    assert kernel.most_files == {project: 2 * MOST}
    assert tool.hold(str(portal), "acme", 9 * MIB, MOST, 60) == "over 11"


def test_more_than_the_limit_is_told_and_none_is_set(tool: ModuleType, kernel: Kernel, portal: Path) -> None:
    (portal / "media/big").write_bytes(b"x" * 2 * MIB)
    assert tool.hold(str(portal), "acme", 2 * MIB, MOST, 60) == "over 3"
    assert kernel.limits == {}
    assert tool.hold(str(portal), "acme", 3 * MIB, MOST, 60).startswith("held ")
    assert tool.hold(str(portal), "acme", 1 * MIB, MOST, 60) == "over 3"
    assert list(kernel.limits.values()) == [3 * MIB]


def test_a_lifted_limit_is_none_and_comes_back(tool: ModuleType, kernel: Kernel, portal: Path) -> None:
    assert tool.lift(str(portal), "acme") == "lifted"
    tool.hold(str(portal), "acme", 10 * MIB, MOST, 60)
    assert tool.lift(str(portal), "acme") == "lifted"
    assert (list(kernel.limits.values()), list(kernel.most_files.values())) == ([0], [0])
    kernel.order.clear()
    assert tool.hold(str(portal), "acme", 10 * MIB, MOST, 60).startswith("held ")
    assert (kernel.order, list(kernel.limits.values())) == ([], [10 * MIB])


def nest(top: Path, depth: int) -> None:
    """Directories in directories, each with a file, deeper than a path may be long."""
    here = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        os.mkdir("n", dir_fd=here)
        below = os.open("n", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def test_however_deep_somebody_nests(tool: ModuleType, kernel: Kernel, portal: Path) -> None:
    """Deeper than Python calls itself, and than files may be open at once."""
    depth = 1500
    nest(portal / "media", depth)
    before = len(list(Path("/proc/self/fd").iterdir()))
    had = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, had[1]))
        assert tool.hold(str(portal), "acme", 10 * MIB, MOST, 60).startswith("held ")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, had)
        # Python's own way to remove a folder calls itself once a level.
        subprocess.run(["rm", "-rf", portal / "media"], check=True, timeout=60)
    assert len(kernel.attributes) > 2 * depth
    assert len(list(Path("/proc/self/fd").iterdir())) - before <= 2


def broad(top: Path, depth: int) -> None:
    """Two files and two directories at each level."""
    for each in ("left", "right"):
        (top / f"file-{each}").write_bytes(b"x")
        if depth:
            (top / each).mkdir()
            broad(top / each, depth - 1)


@pytest.mark.parametrize("most", [1, 2, 3, 200])
def test_none_is_left_out_where_directories_are_found_again(
    most: int, tool: ModuleType, kernel: Kernel, portal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broad(portal / "media", 5)
    monkeypatch.setattr(tool, "MOST_OPEN", most)
    tool.hold(str(portal), "acme", 10 * MIB, MOST, 60)
    assert left_out(kernel, portal, chosen(portal)) == []
    assert kernel.order[-1] == portal.stat().st_ino


def test_a_directory_that_moves_away_meanwhile_is_gone_through_where_it_is(
    tool: ModuleType, kernel: Kernel, portal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its `..` is another by then, and what is beside that is not what was to be done next."""
    broad(portal / "media", 4)
    moved = portal / "media/left/left"
    plain = kernel.ioctl

    def ioctl(descriptor: int, request: int, data: bytes) -> bytes:
        if moved.exists() and os.fstat(descriptor).st_ino == (moved / "left/left").stat().st_ino:
            moved.rename(portal / "media/right/moved")
        return plain(descriptor, request, data)

    whole: list[bool] = []
    tree = tool.Walk.tree

    def recorded(walk: object, top: int, *, skips_assigned: bool) -> bool:
        whole.append(tree(walk, top, skips_assigned=skips_assigned))
        return whole[-1]

    monkeypatch.setattr(tool.Walk, "tree", recorded)
    monkeypatch.setattr(tool.fcntl, "ioctl", ioctl)
    monkeypatch.setattr(tool, "MOST_OPEN", 1)
    assert tool.hold(str(portal), "acme", 10 * MIB, MOST, 60).startswith("held ")
    assert whole == [False, True]
    assert (portal / "media/right/moved/left/left").is_dir()
    assert left_out(kernel, portal, chosen(portal)) == []


HOLDER = """
import fcntl, os, signal, sys
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("has it", flush=True)
if sys.argv[2] == "lets go":
    signal.sigwait({signal.SIGIO})
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    print("let go", flush=True)
sys.stdin.read()
"""


@contextmanager
def lease(file: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    """A program that has a lease on a file, as any owner of it may; what it is told when somebody opens it is blocked."""
    words = [
        "python3",
        "-c",
        "import signal; signal.pthread_sigmask(0, {signal.SIGIO})\n" + HOLDER,
        str(file),
        how,
    ]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert running.stdout.readline() == "has it\n"
        try:
            yield running
        finally:
            running.kill()


@pytest.mark.parametrize("most", [1, 200])
@pytest.mark.parametrize("path", ["media/one", "media/a/b/three"])
def test_a_lease_is_waited_for(
    path: str,
    most: int,
    tool: ModuleType,
    kernel: Kernel,
    portal: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tool, "MOST_OPEN", most)
    with lease(portal / path, "lets go"):
        assert tool.hold(str(portal), "acme", 10 * MIB, MOST, 60).startswith("held ")
    assert left_out(kernel, portal, chosen(portal)) == []
    assert kernel.order[-1] == portal.stat().st_ino


def test_a_lease_that_is_kept_is_told_and_all_else_is_done(
    tool: ModuleType, kernel: Kernel, portal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool, "LEASE_SECONDS", 0.5)
    monkeypatch.setattr(tool, "MOST_OPEN", 1)
    with lease(portal / "media/a/two", "keeps it"), pytest.raises(tool.Cannot) as raised:
        tool.hold(str(portal), "acme", 10 * MIB, MOST, 60)
    assert str(raised.value) == (
        "a program of the portal has a lease on 'two' and does not release it; see /proc/locks on the engine's host for which "
        "program that is, and stop its container"
    )
    assert kernel.limits == {}
    assert project_of(kernel, portal) == 0
    assert project_of(kernel, portal / "media/a/b/three") == chosen(portal)


def test_a_lift_waits_for_whoever_is_at_it_and_not_for_ever(
    tool: ModuleType, kernel: Kernel, portal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool.hold(str(portal), "acme", 10 * MIB, MOST, 60)
    monkeypatch.setattr(tool, "PROGRESS_SECONDS", 0.1)
    monkeypatch.setattr(tool, "LIFT_SECONDS", 0.3)
    with tool.exclusive(os.open(portal, os.O_RDONLY)):
        assert (
            tool.lift(str(portal), "acme") == "cannot another run on the same portal did not end within 0.3 s"
        )
    assert list(kernel.limits.values()) == [10 * MIB]
    assert tool.lift(str(portal), "acme") == "lifted"
    assert list(kernel.limits.values()) == [0]


def test_a_walk_that_takes_too_long_ends_and_goes_on(
    tool: ModuleType, kernel: Kernel, portal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = kernel.ioctl
    slow = [True]

    def ioctl(descriptor: int, request: int, data: bytes) -> bytes:
        if slow[0] and request == tool.FS_IOC_FSSETXATTR and len(kernel.order) == 2:
            signal = tool.signal
            signal.raise_signal(signal.SIGALRM)
        return plain(descriptor, request, data)

    monkeypatch.setattr(tool.fcntl, "ioctl", ioctl)
    assert tool.hold(str(portal), "acme", 10 * MIB, MOST, tool.PROGRESS_SECONDS).startswith("unfinished ")
    assert kernel.limits == {}
    slow[0] = False
    assert tool.hold(str(portal), "acme", 10 * MIB, MOST, 60).startswith("held ")


def test_a_file_system_without_projects_says_so_and_nothing_is_written(
    portal: Path, tool: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """The real kernel of whoever runs this: no limit comes of it, and no traceback."""
    words = [
        "hold",
        "--tenant",
        "acme",
        "--limit-mib",
        "10",
        "--limit-files",
        "9",
        "--seconds",
        "60",
        str(portal),
    ]
    assert tool.main(words) == 0
    out = capsys.readouterr().out
    assert out.startswith("cannot ")
    assert not (portal / ".portal/project").exists()


def test_called_wrongly(tool: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(["hold", "x"]) == 64
    assert tool.main(["sink"]) == 64
