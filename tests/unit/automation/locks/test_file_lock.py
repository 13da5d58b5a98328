"""What one command of a machine does at a time."""

from pathlib import Path

import pytest

from automation.errors import Locked
from automation.locks.file_lock import exclusive


def test_a_second_one_waits_says_for_what_and_gives_up(tmp_path: Path) -> None:
    path = tmp_path / "below" / "lock"
    messages: list[str] = []
    with exclusive(path, "the first", messages.append):
        with (
            pytest.raises(Locked, match="waited 0 s for the first"),
            exclusive(path, "the first", messages.append, limit=0.2),
        ):
            pass
        assert messages == ["waiting for the first"]
    with exclusive(path, "nobody", messages.append):
        assert len(messages) == 1
