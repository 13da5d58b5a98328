"""Whether a portal's quota holds: what a drive says, what is done about it, what is told, and what the helper may."""

import dataclasses
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from docker.errors import APIError

from automation.drive import quota, sentinel
from automation.drive.quota import Share, Step
from automation.drive.system_calls import seccomp_profile
from automation.errors import Cancelled
from config.tenant.tenant import Tenant
from tests.programs import TENANTS

GIB = 2**20  # in KiB
XFS = {"kind": "xfs", "options": frozenset({"rw", "prjquota"})}
DRIVE = 100 * GIB


def tenant(size: str = "20GiB") -> Tenant:
    acme = Tenant.load("acme", TENANTS)
    return dataclasses.replace(acme, storage=dataclasses.replace(acme.storage, quota=size))


def share(limit: int = 0, used: int = 5 * GIB, *, ours: bool = True, **how: Any) -> Share:
    """Of a drive of 100 GiB that can, with `used` taken; KiB."""
    size = limit or DRIVE
    return Share(
        **{**XFS, **how}, size=DRIVE, own=(size, size - used), ours=ours, counted=None if limit else used
    )


TOLD = """\
quota-kernel 6.1.0-37-amd64
quota-users :0:0:4294967295
quota-mount xfs rw,relatime,attr2,inode64,prjquota
quota-drive /dev/vdb           104857600  5242880  99614720       5% /drive
quota-portal /dev/vdb           20971520  5242880  15728640      25% /drive
quota-files /dev/vdb             5242880   120000   5122880       3% /drive
quota-project
quota-counted 5242880 1790000000
"""


def test_what_a_drive_says_of_a_share() -> None:
    share = quota.parse_share(TOLD)
    assert share == Share(
        kind="xfs",
        options=frozenset({"rw", "relatime", "attr2", "inode64", "prjquota"}),
        size=DRIVE,
        own=(20 * GIB, 15 * GIB),
        files=(20 * 1024 * 256, 120000),
        ours=True,
        counted=5 * GIB,
    )
    assert (share.limit, share.used, share.supports_limits) == (20 * 1024, 5 * 1024, True)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("quota-kernel 6.1.0-37-amd64\nquota-users :0:0:4294967295\n", ""),
        ("quota-kernel 5.14.0\n", ""),
        ("quota-kernel 5.10.0-32-amd64\n", "Linux 5.10, and a limit needs 5.14"),
        ("quota-kernel 6.1.0\nquota-users :0:100000:65536\n", "rootless, or user namespaces"),
    ],
)
def test_what_an_engine_s_host_cannot_is_known_before(reason: str, words: str) -> None:
    share = quota.parse_share(reason + TOLD)
    assert words in share.prevented
    assert share.supports_limits is not bool(words)
    if words:
        assert quota.next_step(dataclasses.replace(share, own=(DRIVE, DRIVE)), 20 * 1024) is Step.NONE
        assert words in quota.why_not_enforced(dataclasses.replace(share, own=None), tenant())


def test_a_drive_that_says_nothing_promises_nothing() -> None:
    share = quota.parse_share("")
    assert (share.limit, share.used, share.supports_limits) == (0, None, False)
    assert quota.next_step(share, 20 * 1024) is Step.NONE


def test_the_look_itself(tmp_path: Path) -> None:
    """In a shell, on whatever this machine has: never through a link, and no text of others comes through."""
    portal = tmp_path / "acme"
    (portal / ".portal").mkdir(parents=True)
    (portal / ".portal/usage").write_text("123 45\nquota-project\n")

    def look() -> Share:
        script = quota.LIMITS_SCRIPT.format("acme").replace("/drive", str(tmp_path))
        return quota.parse_share(
            subprocess.run(
                ["sh", "-c", script], check=True, text=True, capture_output=True, timeout=30
            ).stdout
        )

    share = look()
    assert share.own
    assert (share.size, share.limit, share.counted, share.ours) == (share.own[0], 0, 123, False)
    assert quota.why_prevented("") == share.prevented, "root's own shell, on a kernel that has it"
    (portal / ".portal/project").write_text("1")
    assert look().ours
    (tmp_path / "acme").rename(tmp_path / "moved")
    (tmp_path / "acme").symlink_to(tmp_path / "moved")
    assert look().own is None


@pytest.mark.parametrize(
    ("share_now", "limit", "done"),
    [
        (share(), 20 * 1024, Step.HOLD),
        (share(limit=20 * GIB), 20 * 1024, Step.NONE),
        (share(limit=20 * GIB), 30 * 1024, Step.HOLD),
        (share(limit=20 * GIB), 0, Step.LIFT),
        (share(), 0, Step.NONE),
        # One of before has no limit of files; ext4 may have fewer than that.
        (share(limit=20 * GIB, files=(52428800, 7)), 20 * 1024, Step.HOLD),
        (share(limit=20 * GIB, files=(5242880, 7)), 20 * 1024, Step.NONE),
        (share(limit=20 * GIB, files=(786432, 7)), 20 * 1024, Step.NONE),
        (share(limit=20 * GIB, files=(52428800, 7), ours=False), 20 * 1024, Step.NONE),
        # An operator's own limit is taken for what it is, and left alone where the file says nothing.
        (share(limit=20 * GIB, ours=False), 20 * 1024, Step.NONE),
        (share(limit=20 * GIB, ours=False), 0, Step.NONE),
        # A limit above the drive's size would show nowhere.
        (share(), 200 * 1024, Step.NONE),
        (share(limit=20 * GIB), 200 * 1024, Step.LIFT),
        (share(kind="nfs4"), 20 * 1024, Step.NONE),
        (share(kind="btrfs"), 20 * 1024, Step.NONE),
        (share(options=frozenset({"rw", "noquota"})), 20 * 1024, Step.NONE),
        (share(options=frozenset({"prjquota", "pqnoenforce"})), 20 * 1024, Step.NONE),
        (share(kind="ext4"), 20 * 1024, Step.HOLD),
        # New: once it has its directory.
        (dataclasses.replace(share(), own=None), 20 * 1024, Step.HOLD),
        (dataclasses.replace(share(kind="nfs4"), own=None), 20 * 1024, Step.NONE),
        (dataclasses.replace(share(), own=None), 0, Step.NONE),
    ],
)
def test_what_is_done(share_now: Share, limit: int, done: Step) -> None:
    assert quota.next_step(share_now, limit) is done


@pytest.mark.parametrize(
    ("share_now", "limit", "wider"),
    [
        (share(limit=20 * GIB), 30 * 1024, True),
        (share(limit=20 * GIB), 0, True),
        (share(limit=20 * GIB), 20 * 1024, False),
        (share(limit=20 * GIB), 10 * 1024, False),
        (share(), 20 * 1024, False),
        (share(limit=20 * GIB, ours=False), 0, False),
    ],
)
def test_room_is_given_before_a_start_and_taken_after_it(share_now: Share, limit: int, wider: bool) -> None:
    assert quota.raises_limit(share_now, limit) is wider


@pytest.mark.parametrize(
    ("share_now", "size", "held", "words"),
    [
        (share(limit=20 * GIB), "20GiB", True, ""),
        # The server's, seen through NFS.
        (share(limit=20 * GIB, kind="nfs4", ours=False), "20GiB", True, ""),
        (share(limit=10 * GIB, ours=False), "20GiB", True, ""),
        (share(limit=30 * GIB), "20GiB", False, "./portal up acme sets it"),
        (share(), "20GiB", False, "not set yet: ./portal up acme sets it"),
        (share(kind="nfs4"), "20GiB", False, "is nfs4, whose file server alone can set a limit"),
        (
            share(options=frozenset({"rw"})),
            "20GiB",
            False,
            "not mounted with prjquota: mount it with that option (",
        ),
        (share(kind="ext4", options=frozenset()), "20GiB", False, "with the features project and quota"),
        (share(kind="btrfs"), "20GiB", False, "has no project quotas"),
        (share(prevented="no right"), "20GiB", False, "could keep a limit, but no right"),
        (dataclasses.replace(share(), own=None), "20GiB", False, "./portal up acme sets it"),
        (share(), "200GiB", False, "not less than the drive has"),
        (share(kind="nfs4"), "", False, ""),
    ],
)
def test_whether_it_holds_and_else_the_remedy(share_now: Share, size: str, held: bool, words: str) -> None:
    acme = tenant(size)
    assert quota.is_enforced(share_now, acme.storage.quota_mib) is held
    why = quota.why_not_enforced(share_now, acme)
    assert words in why
    assert bool(why) is bool(words)


@pytest.mark.parametrize(
    ("share_now", "disk", "words"),
    [
        (share(), 0, []),
        (share(used=20 * GIB), 0, ["uses 20480 MiB, so with 20480 it could write next to nothing"]),
        (share(limit=30 * GIB, used=25 * GIB), 0, ["uses 25600 MiB, so with 20480"]),
        (share(limit=30 * GIB, used=20 * GIB - 1024), 0, ["uses 20479 MiB, so with 20480"]),
        (share(limit=30 * GIB, used=20 * GIB - 64 * 1024), 0, []),
        # At its end already, and not because of this run.
        (share(limit=20 * GIB, used=20 * GIB), 0, []),
        (share(limit=20 * GIB, used=20 * GIB, files=(52428800, 7)), 0, []),
        (share(limit=20 * GIB, used=20 * GIB - 1024), 64, ["has 1 MiB left of 20480, and what writes there"]),
        (share(limit=20 * GIB, used=19 * GIB), 64, []),
        # What only watches stops nothing.
        (share(kind="nfs4", used=25 * GIB), 1024, []),
        # Nobody has counted yet: `up` does, before it asks.
        (dataclasses.replace(share(), counted=None), 1024, []),
        (share(used=19 * GIB + 1024), 1024, ["has 1023 MiB left of 20480, and what writes there"]),
        # Raised, it is enough.
        (share(limit=10 * GIB, used=10 * GIB), 1024, []),
        (dataclasses.replace(share(), own=None, counted=None), 1024, []),
    ],
)
def test_what_stands_in_the_way(share_now: Share, disk: int, words: list[str]) -> None:
    obstacles = [str(each) for each in quota.obstacles(share_now, tenant(), disk)]
    assert len(obstacles) == len(words)
    assert all(word in line for word, line in zip(words, obstacles, strict=True))


@pytest.mark.parametrize(
    ("share_now", "size", "words"),
    [
        (share(), "20GiB", ["will hold the portal to 20480 MiB, none now"]),
        (share(limit=30 * GIB), "20GiB", ["will hold the portal to 20480 MiB, 30720 now"]),
        (share(limit=30 * GIB), "", ["the limit of 30720 MiB is lifted"]),
        (share(limit=20 * GIB), "20GiB", []),
        (share(limit=20 * GIB, files=(52428800, 7)), "20GiB", ["will hold the portal to 5242880 files, too"]),
        (share(kind="nfs4"), "20GiB", ["watched, not enforced: /srv/portals is nfs4"]),
        # A new portal's, on a drive that holds it: the limit comes with the directory.
        (
            dataclasses.replace(share(), own=None),
            "20GiB",
            ["will hold the portal to 20480 MiB, none now"],
        ),
        (
            dataclasses.replace(share(kind="nfs4"), own=None),
            "20GiB",
            ["watched, not enforced: /srv/portals is nfs4"],
        ),
        (
            dataclasses.replace(share(), counted=None),
            "20GiB",
            ["will hold the portal to 20480 MiB", "were not counted yet"],
        ),
    ],
)
def test_what_a_preview_says(share_now: Share, size: str, words: list[str]) -> None:
    notes = list(quota.notes(share_now, tenant(size)))
    assert len(notes) == len(words)
    assert all(word in line for word, line in zip(words, notes, strict=True))


class Engine:
    """An engine whose helper says what it is told to; `options` is what it was made with."""

    def __init__(self, *output: bytes, code: int = 0) -> None:
        self.output, self.code = output, code
        self.options: dict[str, Any] = {}
        self.left: list[str] = []
        self.removed: list[str] = []

    def containers(self, **how: Any) -> list[dict[str, str]]:
        assert how == {"all": True, "filters": {"label": "portal.helper-of=acme"}}
        return [{"Id": each} for each in self.left]

    def remove_container(self, name: str, *, force: bool) -> None:
        assert force
        assert not self.options, "before the next one is there"
        self.left.remove(name)
        self.removed.append(name)

    def create_host_config(self, **how: Any) -> dict[str, Any]:
        return how

    def start(self, name: str) -> None:
        pass

    def logs(self, name: str, *, stream: bool, follow: bool) -> Iterator[bytes]:
        assert stream
        assert follow
        return iter(self.output)

    def wait(self, name: str, timeout: float) -> dict[str, int]:
        assert timeout <= 60
        return {"StatusCode": self.code}


@pytest.fixture(autouse=True)
def _helper(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def helper(client: Engine, image: str, labels: dict[str, str], **how: Any) -> Iterator[str]:
        assert labels == {"portal.helper-of": "acme"}
        client.options = how
        yield "made"

    monkeypatch.setattr(quota, "helper", helper)


def test_the_helper_may_do_three_things_in_one_directory() -> None:
    engine = Engine(b"held 1900731709 3\n")
    assert quota.set_limit(engine, tenant(), share(), lambda line: None) == ""
    config = engine.options["host_config"]
    assert config["cap_drop"] == ["ALL"]
    assert config["cap_add"] == ["SYS_ADMIN", "FOWNER", "DAC_READ_SEARCH"]
    assert config["network_mode"] == "none"
    assert config["read_only"] is True
    (mount,) = config["mounts"]
    assert (mount["Source"], mount["Target"], mount["Type"]) == ("/srv/portals/acme", "/portal", "bind")
    assert config["pids_limit"] <= 16
    assert not {"privileged", "pid_mode", "ipc_mode", "binds", "devices"} & set(config)
    privileges, seccomp = config["security_opt"]
    assert privileges == "no-new-privileges:true"
    assert json.loads(seccomp.removeprefix("seccomp=")) == seccomp_profile()


def test_no_helper_where_there_is_nothing_to_do() -> None:
    new = dataclasses.replace(share(), own=None)
    for share_now, size in (
        (share(limit=20 * GIB), "20GiB"),
        (share(kind="nfs4"), "20GiB"),
        (share(), ""),
        (new, "20GiB"),
    ):
        engine = Engine()
        assert quota.set_limit(engine, tenant(size), share_now, lambda line: None) == ""
        assert engine.options == {}


@pytest.mark.parametrize(
    ("output", "code", "why", "messages"),
    [
        ((b"held 19007", b"31709 3\n"), 0, "", ["the file system holds it to 20480 MiB from now on"]),
        (
            (b"project: 5 files", b" so far\nproject: 9 files so far\nheld 1 3\n"),
            0,
            "",
            ["project: 5 files so far", "project: 9 files so far", "holds it to 20480"],
        ),
        ((b"unfinished 900\n",), 0, "the next ./portal up acme goes on", []),
        ((b"cannot the file system has no projects\n",), 0, "the file system has no projects", []),
        ((b"Traceback\nKilled\n",), 137, "the helper ended with exit code 137: Killed", ["Traceback"]),
        ((), 0, "the helper ended with exit code 0", []),
        ((b"held 1 3 and more\n",), 0, "the helper ended with 'held 1 3 and more'", []),
    ],
)
def test_how_it_ended(output: tuple[bytes, ...], code: int, why: str, messages: list[str]) -> None:
    lines: list[str] = []
    why_not = quota.set_limit(Engine(*output, code=code), tenant(), share(), lines.append)
    assert why in why_not
    assert bool(why_not) is bool(why)
    assert len(lines) == len(messages)
    assert all(word in line for word, line in zip(messages, lines, strict=True))


def test_more_taken_by_then_than_the_quota_is_a_reason() -> None:
    """Before, it was less: that is asked first, and refused."""
    why = quota.set_limit(Engine(b"over 30000\n"), tenant(), share(), lambda line: None)
    assert why.startswith("acme uses 30000 MiB, so with 20480 it could write next to nothing")
    assert why.endswith("the limit stays as it was")


def test_too_many_files_are_a_reason() -> None:
    engine = Engine(b"over-files 6000000\n")
    why = quota.set_limit(engine, tenant(), share(), lambda line: None)
    assert why.startswith("acme has 6000000 files, and with 20480 MiB it may have 5242880; raise the quota")
    assert engine.options["command"][1:6] == ["hold", "--limit-mib", "20480", "--limit-files", "5242880"]


def test_files_that_nobody_counts_yet_are_counted_before_a_first_limit() -> None:
    lines: list[str] = []
    engine = Engine(b"counting its files: 5 s\ncounted 26214400\n")
    uncounted = dataclasses.replace(share(), counted=None)
    counted = quota.count_files(engine, tenant(), uncounted, lines.append)
    assert (counted.used, lines) == (25600, ["acme: counting its files: 5 s"])
    (obstacle,) = quota.obstacles(counted, tenant(), 0)
    assert "acme uses 25600 MiB, so with 20480 it could write next to nothing" in obstacle.what
    (mount,) = engine.options["host_config"]["mounts"]
    assert (mount["Source"], mount["ReadOnly"]) == ("/srv/portals/acme", True)


def test_a_count_that_does_not_end_decides_nothing_and_says_so() -> None:
    lines: list[str] = []
    counted = quota.count_files(Engine(b"uncounted\n"), tenant(), share(), lines.append)
    assert counted == share()
    assert lines == [
        "acme: its files were not counted within 600 s; storage/quota is set once they are, if it is more"
    ]


@pytest.mark.parametrize(
    ("share_now", "size"),
    [
        (share(limit=30 * GIB), "20GiB"),
        (share(kind="nfs4"), "20GiB"),
        (share(), ""),
        (dataclasses.replace(share(), own=None), "20GiB"),
    ],
)
def test_what_the_file_system_counts_or_nobody_limits_is_not_counted(share_now: Share, size: str) -> None:
    engine = Engine()
    assert quota.count_files(engine, tenant(size), share_now, lambda line: None) is share_now
    assert engine.options == {}


def test_the_count_itself(tmp_path: Path) -> None:
    """In a shell: what `du` says of it, and nothing of one that takes too long."""
    (tmp_path / "file").write_bytes(b"x" * 3 * 2**20)
    script = quota.COUNT_SCRIPT.replace("/portal", str(tmp_path)).replace("sleep 5", "sleep 0.1")

    def lines_of_count(seconds: float, du: str) -> list[str]:
        words = script.format(seconds=seconds).replace("du -skx", du)
        ran = subprocess.run(["sh", "-c", words], text=True, capture_output=True, timeout=30, check=True)
        return ran.stdout.splitlines()

    last = lines_of_count(60, "du -skx")[-1]
    assert last.startswith("counted ")
    assert 3 * 1024 <= int(last.removeprefix("counted ")) < 4 * 1024
    slow = lines_of_count(0.5, "sleep 20 ;")
    assert slow[0] == "counting its files: 5 s"
    assert slow[-1] == "uncounted"


def test_what_a_killed_command_left_at_work_is_ended_first() -> None:
    """Its limit would come later than what is asked for now."""
    engine = Engine(b"held 1 3\n")
    engine.left = ["old"]
    assert quota.set_limit(engine, tenant(), share(), lambda line: None) == ""
    assert engine.removed == ["old"]


def test_a_walk_that_is_cancelled_ends() -> None:
    cancel = threading.Event()
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        cancel.set()

    engine = Engine(b"project: 5 files so far\nproject: 9 files so far\nproject: 12 files so far\n")
    with pytest.raises(Cancelled, match="safe to re-run"):
        quota.set_limit(engine, tenant(), share(), say, cancel)
    assert lines == ["acme: project: 5 files so far"]


def test_an_engine_that_lends_no_such_right_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*words: object, **how: object) -> None:
        raise APIError("400", explanation="invalid --security-opt")

    monkeypatch.setattr(quota, "helper", refuses)
    assert "invalid --security-opt" in quota.set_limit(Engine(), tenant(), share(), lambda line: None)


@pytest.mark.parametrize(("share_now", "lifted"), [(share(limit=20 * GIB), True), (share(), False)])
def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch, share_now: Share, lifted: bool) -> None:
    monkeypatch.setattr(sentinel, "read_share", lambda client, root, name: share_now)
    engine = Engine(b"lifted\n")
    engine.left = ["old"]
    sentinel.remove_own_limit(engine, "/srv/portals", "acme", lambda line: None)
    assert engine.removed == ["old"]
    assert bool(engine.options) is lifted
    if lifted:
        assert engine.options["command"] == ["project-quota", "lift", "--tenant", "acme", "/portal"]
