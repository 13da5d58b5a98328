"""What purge deletes on a drive, and what it leaves; what orphans says of each."""

import subprocess
from pathlib import Path

import pytest

from automation.orphans import Orphan
from automation.purge import DELETE, LOOK, checked, logs
from config.errors import ConfigError


def on(drive: Path, script: str) -> str:
    """What a script of purge says, run here instead of in a container."""
    told = script.format("acme").replace("/drive", str(drive))
    return subprocess.run(
        ["sh", "-c", told], check=True, capture_output=True, text=True, timeout=30
    ).stdout.strip()


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """A drive with other tenants, and something beside it that is nobody's business."""
    for each in ("drive/acme-two/mysql", "drive/oak/mysql", "beside"):
        (tmp_path / each).mkdir(parents=True)
        (tmp_path / each / "data").write_text("kept")
    (tmp_path / "drive" / ".portals-drive").write_text("portals-drive\n")
    return tmp_path / "drive"


def kept(drive: Path) -> list[str]:
    """All that there is, on the drive and beside it."""
    return sorted(str(each.relative_to(drive.parent)) for each in drive.parent.rglob("*"))


def whole(drive: Path) -> None:
    (drive / "acme" / "mysql").mkdir(parents=True)
    (drive / "acme" / "mysql" / "data").write_text("goes")
    (drive / "acme" / "link").symlink_to(drive.parent / "beside")


def a_link(drive: Path) -> None:
    (drive / "acme").symlink_to(drive.parent / "beside")


def a_dangling_link(drive: Path) -> None:
    (drive / "acme").symlink_to(drive / "nowhere")


def half(drive: Path) -> None:
    (drive / ".purged-acme" / "mysql").mkdir(parents=True)


def half_and_whole(drive: Path) -> None:
    half(drive)
    whole(drive)


@pytest.mark.parametrize("made", [whole, a_link, a_dangling_link, half, half_and_whole])
def test_the_tenant_s_directory_goes_and_nothing_else(drive: Path, made: object) -> None:
    before = kept(drive)
    assert on(drive, LOOK) == ""
    assert callable(made)
    made(drive)
    assert on(drive, LOOK) == "there"
    on(drive, DELETE)
    assert on(drive, LOOK) == ""
    assert kept(drive) == before
    # Once more changes nothing.
    on(drive, DELETE)
    assert kept(drive) == before


def test_only_the_tenant_s_own_logs_go(tmp_path: Path) -> None:
    for each in ("acme", "acme-2", "2-acme"):
        (tmp_path / f"organization+portals+{each}-20261122T224116.log").write_text("")
    assert [each.name for each in logs(tmp_path, "acme")] == ["organization+portals+acme-20261122T224116.log"]


@pytest.mark.parametrize(
    "name", ["", ".", "..", "/", "acme/..", "../acme", "a b", "-rf", "lost+found", ".purged-acme"]
)
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        checked(name)


@pytest.mark.parametrize(
    ("orphan", "way_out"),
    [
        (Orphan(kind="stack", name="oak", tenant="oak"), "./portal purge oak --dry-run"),
        (Orphan(kind="volume", name="oak-mysql", tenant="oak"), "./portal purge oak --dry-run"),
        (
            Orphan(kind="volume", name="oak-mysql", tenant="oak", where="ssh://h2"),
            "./portal purge oak --docker-host ssh://h2 --dry-run",
        ),
        (
            Orphan(kind="directory", name="/srv/two/oak", tenant="oak", where="/srv/two"),
            "./portal purge oak --root /srv/two --dry-run",
        ),
        (
            Orphan(kind="directory", name="/srv/portals/.purged-oak", tenant="oak", where="/srv/portals"),
            "rm -rf /srv/portals/.purged-oak",
        ),
        (
            Orphan(kind="directory", name="/srv/portals/Old Data", tenant="Old Data", where="/srv/portals"),
            "by hand",
        ),
    ],
)
def test_each_orphan_says_how_to_remove_it(orphan: Orphan, way_out: str) -> None:
    assert way_out in orphan.way_out
