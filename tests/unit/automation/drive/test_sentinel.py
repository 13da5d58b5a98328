"""Questions to the drive leave nothing on the engine, however they end."""

import io
import tarfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import pytest
from docker.errors import APIError

from automation.drive import sentinel, usage
from automation.drive.data_locations import DataHome
from automation.drive.sentinel import DriveMissing, Mark
from automation.drive.symbolic_links import DataLinked
from automation.engine import inventory
from automation.errors import PortalError
from automation.portals import orphans
from config.portal.labels import HELPER
from config.tenant.tenant import Tenant
from preflight import helper
from tests.programs import TENANTS

NOW = 100_000.0
ROOT = "/srv/portals"
ACME = Tenant.load("acme", TENANTS)


class Engine:
    """An engine's containers, in memory."""

    def __init__(
        self, *, exit_code: int = 0, mark: str = "portals-drive\n", absent: str = "", said: str = "said"
    ) -> None:
        self.exit_code, self.mark, self.absent, self.said = exit_code, mark, absent, said
        self.created = 0
        self.made: list[str] = []
        self.scripts: list[str] = []
        self.there: dict[str, dict[str, Any]] = {}

    def add(self, name: str, status: str, age: float, label: str = HELPER) -> None:
        """One that is there already."""
        self.there[name] = {"Id": name, "Created": NOW - age, "status": status, "label": label}

    def containers(self, *, all: bool, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            each
            for each in self.there.values()
            if each["label"] == filters["label"] and each["status"] in filters["status"]
        ]

    def create_host_config(self, **how: Any) -> dict[str, Any]:
        return how

    def create_container(self, image: str, **how: Any) -> dict[str, Any]:
        assert how["network_disabled"]
        self.created += 1
        (label,) = how["labels"]
        for each in how["host_config"].get("mounts", ()):
            if self.absent and each["Source"].startswith(self.absent):
                raise APIError("400", explanation=f"bind source path does not exist: {each['Source']}")
        # What an engine does with one of these that its host does not have.
        self.made += [each.partition(":")[0] for each in how["host_config"].get("binds", ())]
        self.scripts += how.get("entrypoint", [])[2:]
        self.add("made", "created", 0, label)
        return {"Id": "made"}

    def start(self, name: str) -> None:
        self.there[name]["status"] = "running"

    def wait(self, name: str, timeout: float) -> dict[str, Any]:
        self.there[name]["status"] = "exited"
        return {"StatusCode": self.exit_code}

    def get_archive(self, name: str, path: str) -> tuple[list[bytes], dict[str, Any]]:
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as tar:
            info = tarfile.TarInfo("sentinel")
            info.size = len(self.mark)
            tar.addfile(info, io.BytesIO(self.mark.encode()))
        return [made.getvalue()], {}

    def logs(self, name: str) -> bytes:
        return f" {self.said}\n".encode()

    def remove_container(self, name: str, force: bool = False) -> None:
        del self.there[name]


def test_an_answer_leaves_nothing() -> None:
    engine = Engine()
    assert sentinel.run(engine, "/srv/portals", "true") == "said"
    assert sentinel.has_sentinel(engine, "/srv/portals")
    assert engine.there == {}


@pytest.mark.parametrize(
    "look", [lambda engine: sentinel.check(engine, ACME), lambda engine: usage.look(engine, ACME)]
)
def test_one_container_sees_the_mark_and_what_is_asked_there(look: Callable[[Engine], object]) -> None:
    engine = Engine(said="/dev/sdb1 1048576000 52428800 943718400 6% /drive")
    look(engine)
    assert engine.created == 1
    assert engine.there == {}


@pytest.mark.parametrize("absent", [ROOT, f"{ROOT}/.portals-drive"])
@pytest.mark.parametrize(
    "look",
    [
        lambda engine: usage.look(engine, ACME),
        lambda engine: sentinel.check(engine, ACME),
        lambda engine: sentinel.require(engine, ROOT),
    ],
)
def test_a_drive_that_is_not_mounted_is_told_and_nothing_is_made(
    look: Callable[[Engine], object], absent: str
) -> None:
    """A root that is away, and a directory of the host's own disk without a mark."""
    engine = Engine(absent=absent)
    with pytest.raises(DriveMissing, match=f"./portal drive init {ROOT}") as told:
        look(engine)
    assert "not mounted" in str(told.value)
    assert engine.made == engine.scripts == []
    assert engine.there == {}


@pytest.mark.parametrize(
    "look",
    [
        lambda engine: sentinel.run(engine, ROOT, "true"),
        lambda engine: sentinel.run(engine, ROOT, "true", reads=True),
    ],
)
def test_no_question_makes_a_path_on_the_host(look: Callable[[Engine], object]) -> None:
    """The drive may go between the look at its mark and the question."""
    engine = Engine(absent=ROOT)
    with pytest.raises(DriveMissing, match=f"{ROOT} is not mounted on the engine's host, or is not marked"):
        look(engine)
    assert engine.made == []
    assert engine.there == {}


def test_orphans_says_of_a_drive_that_is_not_mounted_that_it_was_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No orphan where nobody has looked is no answer."""
    engine = Engine(absent=ROOT)
    said: list[str] = []
    monkeypatch.setattr(orphans, "names", lambda folder: [])
    monkeypatch.setattr(orphans, "stacks", list)
    monkeypatch.setattr(orphans, "places", lambda tenants: {"": {ROOT}})
    monkeypatch.setattr(orphans, "objects", lambda client, known, host: [])
    monkeypatch.setattr(inventory, "connect", lambda host: nullcontext(engine))
    assert orphans.find(said.append) == []
    assert said == [f"not searched: {sentinel.missing(ROOT)}"]
    assert engine.made == []


def test_a_failure_leaves_nothing() -> None:
    engine = Engine(exit_code=1)
    with pytest.raises(PortalError, match="/srv/portals: said"):
        sentinel.run(engine, "/srv/portals", "false")
    assert engine.there == {}


def test_what_killed_commands_left_goes_and_nothing_else() -> None:
    engine = Engine()
    engine.add("killed before its start", "created", 2 * helper.LEFT_SECONDS)
    engine.add("killed after its end", "exited", 2 * helper.LEFT_SECONDS)
    engine.add("still deleting", "running", 2 * helper.LEFT_SECONDS)
    engine.add("being read just now", "exited", 1)
    engine.add("somebody else's", "exited", 2 * helper.LEFT_SECONDS, label="")
    helper.sweep(engine, NOW)
    assert set(engine.there) == {"still deleting", "being read just now", "somebody else's"}


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("portals-drive\n", Mark()),
        ("portals-drive", Mark()),
        ("portals-drive\nid abc\non ext4 /srv/portals\n", Mark(id="abc", on="ext4 /srv/portals")),
        ("portals-drive\nsomething else\nid abc\n", Mark(id="abc")),
        ("", Mark()),
    ],
)
def test_a_mark_says_which_drive_it_is(text: str, mark: Mark) -> None:
    assert sentinel.mark(Engine(mark=text), "/srv/portals") == mark


@pytest.mark.parametrize(
    ("mark", "known", "refused"),
    [
        ("portals-drive\nid abc\n", [], ""),
        ("portals-drive\nid abc\n", [DataHome(root="/srv/portals", drive="abc")], ""),
        ("portals-drive\n", [DataHome(root="/srv/portals")], ""),
        # Elsewhere is another question: the preview says that what is there is left behind.
        ("portals-drive\nid abc\n", [DataHome(root="/mnt", drive="other")], ""),
        ("portals-drive\nid abc\n", [DataHome(root="/srv/portals", drive="other")], "is another drive (abc)"),
        (
            "portals-drive\n",
            [DataHome(root="/srv/portals", drive="other")],
            "is another drive (marked by hand)",
        ),
    ],
)
def test_the_mark_of_another_drive_passes_for_none(mark: str, known: list[DataHome], refused: str) -> None:
    """A disk that was marked while the drive was away: the tenant's own drive has another id."""
    tenant = Tenant.load("acme", TENANTS)
    if not refused:
        assert sentinel.check(Engine(mark=mark), tenant, known).root == "/srv/portals"
        return
    with pytest.raises(DriveMissing) as told:
        sentinel.check(Engine(mark=mark), tenant, known)
    assert refused in str(told.value)
    assert "with the data of acme (other)" in str(told.value)


@pytest.mark.parametrize("name", ["acme", ".purged-acme", "acme/mysql"])
def test_nothing_starts_where_a_link_stands_for_the_data(name: str) -> None:
    engine = Engine(said=f"link {name}\t/mnt/big")
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
    engine = Engine(mark=mark)
    assert sentinel.init(engine, "/srv/portals", lambda text: None, moved=moved) is (id is not None)
    assert engine.scripts == ([] if id is None else [sentinel.MAKE.format(id=id)])
