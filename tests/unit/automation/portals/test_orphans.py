"""What orphans says of each thing that belongs to no tenant."""

import pytest

from automation.portals.orphans import Orphan


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
