"""What orphans says of each thing that belongs to no tenant."""

from contextlib import nullcontext

import pytest

from automation.drive import data_locations, sentinel
from automation.drive.data_locations import DataLocation
from automation.engine import inventory
from automation.errors import NoEngine
from automation.portals import orphans
from automation.portals.orphans import Orphan
from automation.stack import Stack
from tests.fake_engine import FakeEngine


@pytest.mark.parametrize(
    ("orphan", "remedy"),
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
def test_each_orphan_says_how_to_remove_it(orphan: Orphan, remedy: str) -> None:
    assert remedy in orphan.remedy


ROOT = "/srv/portals"


def test_orphans_says_of_a_drive_that_is_not_mounted_that_it_was_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No orphan where nobody has looked is no answer."""
    engine = FakeEngine(absent=ROOT)
    messages: list[str] = []
    monkeypatch.setattr(orphans, "names", lambda folder: [])
    monkeypatch.setattr(orphans, "stacks", list)
    monkeypatch.setattr(orphans, "roots_by_engine", lambda tenants: {"": {ROOT}})
    monkeypatch.setattr(orphans, "orphaned_objects", lambda client, known, host: [])
    monkeypatch.setattr(inventory, "connect", lambda host: nullcontext(engine))
    assert orphans.find(messages.append) == []
    assert messages == [f"not searched: {sentinel.missing_text(ROOT)}"]
    assert engine.mounted_host_paths() == []


def test_orphans_says_of_an_engine_of_the_past_that_it_was_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A tunnel's socket, say. One that a tenant's file names has to answer."""
    tunnel = "unix:///run/tunnel.sock"

    def connect(host: str) -> nullcontext[FakeEngine]:
        if host:
            raise NoEngine(f"no Docker engine answers at {host}")
        return nullcontext(FakeEngine())

    said: list[str] = []
    monkeypatch.setattr(orphans, "names", lambda folder: [])
    monkeypatch.setattr(orphans, "stacks", lambda: ["acme"])
    monkeypatch.setattr(Stack, "state", lambda stack: {})
    monkeypatch.setattr(
        data_locations, "known_locations", lambda stack, state: (DataLocation(root=ROOT, host=tunnel),)
    )
    monkeypatch.setattr(orphans, "roots_by_engine", lambda tenants: {"": set()})
    monkeypatch.setattr(orphans, "orphaned_objects", lambda client, known, host: [])
    monkeypatch.setattr(inventory, "connect", connect)
    (portal,) = orphans.find(said.append)
    assert portal.what == "1 stack"
    assert said == [f"not searched: no Docker engine answers at {tunnel}"]
    monkeypatch.setattr(orphans, "roots_by_engine", lambda tenants: {tunnel: {ROOT}})
    with pytest.raises(NoEngine):
        orphans.find(said.append)
