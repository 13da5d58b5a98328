"""Which paths on the drive are taken."""

import pytest

from config.values import drive_paths
from tests.unit.config.values.accepts import accepts


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("/srv/portals", True),
        ("/mnt", True),
        ("/srv", True),
        ("/tmp/x", True),
        ("/var/lib/portals", True),
        ("/etcetera", True),
        ("/home/ops/drive", True),
        ("/" + "x" * 199, True),
        ("/" + "x" * 200, False),
        ("", False),
        ("//", False),
        ("//srv", False),
        ("/tmp", False),
        ("/proc/self/root", False),
        ("/var/run/docker.sock", False),
        ("/srv/a b", False),
        ("/srv/'a'", False),
        ("/srv/a\\b", False),
        ("/srv/..", False),
        ("/srv/...", True),
    ],
)
def test_a_root_on_the_drive(text: str, good: bool) -> None:
    assert accepts(drive_paths.root, text) == good
