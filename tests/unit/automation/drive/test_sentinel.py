"""Questions to the drive leave nothing on the engine, however they end."""

from collections.abc import Callable

import pytest

from automation.drive import sentinel, usage
from automation.drive.data_locations import DataLocation
from automation.drive.sentinel import DriveMissing, Sentinel
from automation.drive.symbolic_links import DataLinked
from automation.errors import PortalError
from config.tenant.tenant import Tenant
from tests.fake_engine import FakeEngine
from tests.programs import TENANTS

ROOT = "/srv/portals"
ACME = Tenant.load("acme", TENANTS)


def test_an_answer_leaves_nothing() -> None:
    engine = FakeEngine()
    assert sentinel.run_on_drive(engine, "/srv/portals", "true") == "said"
    assert sentinel.has_sentinel(engine, "/srv/portals")
    assert all(each["network_disabled"] for each in engine.created)
    assert engine.there == {}


@pytest.mark.parametrize(
    "look", [lambda engine: sentinel.check(engine, ACME), lambda engine: usage.measure(engine, ACME)]
)
def test_one_container_sees_the_mark_and_what_is_asked_there(look: Callable[[FakeEngine], object]) -> None:
    engine = FakeEngine(output="/dev/sdb1 1048576000 52428800 943718400 6% /drive")
    look(engine)
    assert len(engine.created) == 1
    assert engine.there == {}


@pytest.mark.parametrize("absent", [ROOT, f"{ROOT}/.portals-drive"])
@pytest.mark.parametrize(
    "look",
    [
        lambda engine: usage.measure(engine, ACME),
        lambda engine: sentinel.check(engine, ACME),
        lambda engine: sentinel.require_sentinel(engine, ROOT),
    ],
)
def test_a_drive_that_is_not_mounted_is_told_and_nothing_is_made(
    look: Callable[[FakeEngine], object], absent: str
) -> None:
    """A root that is away, and a directory of the host's own disk without a mark."""
    engine = FakeEngine(absent=absent)
    with pytest.raises(DriveMissing, match=f"./portal drive init {ROOT}") as raised:
        look(engine)
    assert "not mounted" in str(raised.value)
    assert engine.created == []
    assert engine.there == {}


@pytest.mark.parametrize(
    "look",
    [
        lambda engine: sentinel.run_on_drive(engine, ROOT, "true"),
        lambda engine: sentinel.run_on_drive(engine, ROOT, "true", reads=True),
    ],
)
def test_no_question_makes_a_path_on_the_host(look: Callable[[FakeEngine], object]) -> None:
    """The drive may go between the look at its mark and the question."""
    engine = FakeEngine(absent=ROOT)
    with pytest.raises(DriveMissing, match=f"{ROOT} is not mounted on the engine's host, or is not marked"):
        look(engine)
    assert engine.mounted_host_paths() == []
    assert engine.there == {}


def test_a_failure_leaves_nothing() -> None:
    engine = FakeEngine(exit_code=1)
    with pytest.raises(PortalError, match="/srv/portals: said"):
        sentinel.run_on_drive(engine, "/srv/portals", "false")
    assert engine.there == {}


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("portals-drive\n", Sentinel()),
        ("portals-drive", Sentinel()),
        ("portals-drive\nid abc\non ext4 /srv/portals\n", Sentinel(id="abc", on="ext4 /srv/portals")),
        ("portals-drive\nsomething else\nid abc\n", Sentinel(id="abc")),
        ("", Sentinel()),
    ],
)
def test_a_mark_says_which_drive_it_is(text: str, mark: Sentinel) -> None:
    assert sentinel.read_sentinel(FakeEngine(mark=text), "/srv/portals") == mark


@pytest.mark.parametrize(
    ("mark", "known", "refused"),
    [
        ("portals-drive\nid abc\n", [], ""),
        ("portals-drive\nid abc\n", [DataLocation(root="/srv/portals", drive="abc")], ""),
        ("portals-drive\n", [DataLocation(root="/srv/portals")], ""),
        # Elsewhere is another question: the preview says that what is there is left behind.
        ("portals-drive\nid abc\n", [DataLocation(root="/mnt", drive="other")], ""),
        (
            "portals-drive\nid abc\n",
            [DataLocation(root="/srv/portals", drive="other")],
            "is another drive (abc)",
        ),
        (
            "portals-drive\n",
            [DataLocation(root="/srv/portals", drive="other")],
            "is another drive (marked by hand)",
        ),
    ],
)
def test_the_mark_of_another_drive_passes_for_none(
    mark: str, known: list[DataLocation], refused: str
) -> None:
    """A disk that was marked while the drive was away: the tenant's own drive has another id."""
    tenant = Tenant.load("acme", TENANTS)
    if not refused:
        assert sentinel.check(FakeEngine(mark=mark), tenant, known).root == "/srv/portals"
        return
    with pytest.raises(DriveMissing) as raised:
        sentinel.check(FakeEngine(mark=mark), tenant, known)
    assert refused in str(raised.value)
    assert "with the data of acme (other)" in str(raised.value)


@pytest.mark.parametrize(
    ("on", "now", "refused"),
    [
        ("on ext4 /srv/portals\n", "drive-on ext4 /srv/portals\n", False),
        ("on ext4 /srv/portals\n", "drive-on ext4 /\ndrive-on ext4 /srv/portals\n", False),
        ("on ext4 /srv/portals\n", "drive-on tmpfs /\n", True),
        ("on nfs4 /\n", "drive-on ext4 /srv/portals\nlink-like text\n", True),
        # Of an earlier version, and of a kernel that says nothing.
        ("", "drive-on tmpfs /\n", False),
        ("on ext4 /srv/portals\n", "", False),
    ],
)
def test_a_copy_of_a_mark_on_another_file_system_passes_for_none(on: str, now: str, refused: bool) -> None:
    """It has the drive's own id; before anything is stopped, not when storage-init runs the next time."""
    engine = FakeEngine(mark=f"portals-drive\nid one\n{on}", output=now)
    if not refused:
        assert sentinel.check(engine, ACME).drive == "one"
        return
    with pytest.raises(
        DriveMissing, match=r"another file system.*nothing was started.*drive init --moved"
    ) as raised:
        sentinel.check(engine, ACME)
    assert raised.value.exit_code == 7
    assert engine.there == {}


@pytest.mark.parametrize("name", ["acme", ".purged-acme", "acme/mysql"])
def test_nothing_starts_where_a_link_stands_for_the_data(name: str) -> None:
    engine = FakeEngine(output=f"link {name}\t/mnt/big")
    with pytest.raises(
        DataLinked, match=f"nothing was started.*{ROOT}/{name} .* is a symbolic link to /mnt/big"
    ):
        sentinel.check(engine, ACME)
    assert engine.there == {}


@pytest.mark.parametrize(
    ("mark", "moved", "id"),
    [
        ("portals-drive\n", False, ""),
        ("portals-drive\nid abc\n", True, "abc"),
        ("portals-drive\nid abc\n", False, None),
    ],
)
def test_a_mark_keeps_its_id_and_one_by_hand_gets_one(mark: str, moved: bool, id: str | None) -> None:
    engine = FakeEngine(mark=mark)
    assert sentinel.init(engine, "/srv/portals", lambda text: None, moved=moved) is (id is not None)
    assert engine.helper_scripts() == ([] if id is None else [sentinel.MARK_SCRIPT.format(id=id)])
