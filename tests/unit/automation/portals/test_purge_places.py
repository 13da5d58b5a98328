"""Where a purge looks: every engine and drive that may have something of the tenant."""

from pathlib import Path
from typing import Any

import pytest

from automation.drive import sentinel
from automation.drive.data_locations import DataLocation, record
from automation.engine import inventory
from automation.portals import ownership, purge, tenant_files
from automation.stack import Stack
from config.portal import resource_types
from config.portal.resource_types import DOCKER_PROVIDER
from config.values.placement import LOCAL
from tests.fake_engine import FakeEngine
from tests.programs import ROOT

STORAGE = {"type": resource_types.STORAGE, "outputs": {"directory": "/mnt/old/acme"}}
ENGINE = {"type": DOCKER_PROVIDER, "inputs": {"host": "ssh://ops@h1"}}


def state(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"deployment": {"resources": list(resources)}}


class Drives(FakeEngine):
    """An engine's host with some drives, and what they hold."""

    def __init__(self, marks: dict[str, str], held: dict[str, list[str]]) -> None:
        super().__init__()
        self.marks, self.held, self.root = marks, held, ""

    def create_container(self, image: str, **how: Any) -> dict[str, Any]:
        assert "binds" not in how["host_config"]
        if host_mounts := how["host_config"]["mounts"]:
            root = host_mounts[0]["Source"].removesuffix("/.portals-drive")
            if root not in self.marks:
                from docker.errors import APIError

                raise APIError("no", explanation="bind source path does not exist")
            self.mark, self.root = f"portals-drive\nid {self.marks[root]}\n", root
        return super().create_container(image, **how)

    def logs(self, name: str, **options: Any) -> bytes:
        return b"there" if self.held.get(self.root) else b""


def search(monkeypatch: pytest.MonkeyPatch, engine: Drives, where: purge.SearchScope) -> purge.Trace:
    from contextlib import nullcontext

    monkeypatch.setattr(inventory, "connect", lambda host: nullcontext(engine))
    monkeypatch.setattr(inventory, "objects", lambda client, tenant: ([], set(), set()))
    monkeypatch.setattr(ownership, "ids_and_owners", lambda client, tenant: (set(), set()))
    monkeypatch.setattr(ownership, "owner_on_drive", lambda client, root, tenant: OTHERS.get(root, ""))
    monkeypatch.setattr(Stack, "exists", lambda self: False)
    return purge.trace("acme", where)


# Whose a directory says that it is, by its drive.
OTHERS = {"/srv/theirs": "somebody@elsewhere"}
OLD, NEW = DataLocation(root="/mnt/old", drive="a"), DataLocation(root="/mnt/new")


def test_every_root_where_data_is_known_or_found_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tenant's file says /mnt/new, which was never brought up; its data is at /mnt/old, and more at a third."""
    engine = Drives(
        {"/mnt/old": "a", "/mnt/new": "b", "/srv/x": "c", "/srv/theirs": "d"},
        {"/mnt/old": ["acme"], "/srv/x": ["acme"], "/srv/theirs": ["acme"]},
    )
    trace = search(
        monkeypatch,
        engine,
        purge.SearchScope(
            places=(OLD, NEW),
            maybe=tuple(DataLocation(root=f"/srv/{each}") for each in ("x", "theirs", "not-there")),
        ),
    )
    assert trace.directories == ((LOCAL, "/mnt/old/acme"), (LOCAL, "/srv/x/acme"))
    # Of the same name, and another state's by its own word.
    assert trace.drives == ("/mnt/old", "/mnt/new", "/srv/x", "/srv/theirs")
    assert not trace.empty


def test_one_engine_by_two_words_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state has the engine's address, the tenant's file none."""
    engine = Drives({"/mnt/old": "a"}, {"/mnt/old": ["acme"]})
    two = (DataLocation(root="/mnt/old", host="tcp://this:2376"), DataLocation(root="/mnt/old"))
    trace = search(monkeypatch, engine, purge.SearchScope(places=two))
    assert trace.directories == (("tcp://this:2376", "/mnt/old/acme"),)


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ({"/mnt/new": "b"}, "/mnt/old/.portals-drive does not exist"),
        ({"/mnt/old": "z", "/mnt/new": "b"}, "another drive"),
    ],
)
def test_nothing_is_removed_while_a_drive_with_data_is_away(
    monkeypatch: pytest.MonkeyPatch, marks: dict[str, str], words: str
) -> None:
    with pytest.raises(sentinel.DriveMissing, match=words) as raised:
        search(monkeypatch, Drives(marks, {}), purge.SearchScope(places=(OLD, NEW)))
    assert "--gone /mnt/old" in str(raised.value)


def test_nothing_is_said_to_be_left_of_what_nobody_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(sentinel.DriveMissing, match="neither seen nor deleted"):
        search(monkeypatch, Drives({}, {}), purge.SearchScope(places=(DataLocation(root=""),)))
    given_up = search(
        monkeypatch, Drives({"/mnt/new": "b"}, {}), purge.SearchScope(places=(NEW,), gone=("/mnt/old",))
    )
    assert given_up.unseen == ("/mnt/old",)
    assert given_up.facts()["unseen"] == ("/mnt/old",)


@pytest.fixture(autouse=True)
def this_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)


def tenants(monkeypatch: pytest.MonkeyPatch, folder: Path, root: str) -> None:
    """One tenant whose file says that root."""
    text = (ROOT / "tenants" / "acme.yaml").read_text()
    (folder / "acme.yaml").write_text(f"{text}\nstorage:\n  root: {root}\n")
    monkeypatch.setattr(tenant_files, "TENANTS", folder)


@pytest.mark.parametrize("up", [True, False])
def test_a_purge_looks_where_the_data_is_and_not_where_a_file_would_have_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stack_with_tags: Stack, up: bool
) -> None:
    """`storage.root` was edited and never brought up, while the portal is up and after its destroy."""
    tenants(monkeypatch, tmp_path, "/mnt/new")
    tags = stack_with_tags.tags
    monkeypatch.setattr(Stack, "tags", lambda self: tags())
    monkeypatch.setattr(Stack, "exists", lambda self: True)
    monkeypatch.setattr(Stack, "state", lambda self: state(STORAGE) if up else {})
    if not up:
        record(stack_with_tags, DataLocation(root="/mnt/old", drive="a"))
    scope = purge.search_scope("acme")
    assert [each.root for each in scope.places] == ["/mnt/old", "/mnt/new"]
    assert purge.USUAL_ROOT in [each.root for each in scope.maybe]
    given_up = purge.search_scope("acme", gone=("/mnt/old",))
    assert [each.root for each in given_up.places] == ["/mnt/new"]
    assert given_up.gone == ("/mnt/old",)


def test_a_purge_looks_on_every_engine_that_had_the_portal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tenants(monkeypatch, tmp_path, "/mnt/new")
    monkeypatch.setattr(Stack, "tags", lambda self: {})
    monkeypatch.setattr(Stack, "exists", lambda self: True)
    monkeypatch.setattr(Stack, "state", lambda self: state(ENGINE, STORAGE))
    assert purge.search_scope("acme").hosts == ("ssh://ops@h1", LOCAL)
    assert purge.search_scope("acme", docker_host="ssh://h2").hosts == ("ssh://ops@h1", LOCAL, "ssh://h2")


def test_without_a_trace_the_usual_drive_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tenant_files, "TENANTS", tmp_path)
    monkeypatch.setattr(Stack, "exists", lambda self: False)
    scope = purge.search_scope("ghost")
    assert (scope.hosts, [each.root for each in scope.maybe]) == ((LOCAL,), [purge.USUAL_ROOT])
