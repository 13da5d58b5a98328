"""What orphans says of each thing that belongs to no tenant."""

from contextlib import nullcontext

import pytest

from automation.drive import sentinel
from automation.engine import inventory
from automation.portals import orphans
from automation.portals.orphans import Orphan
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
