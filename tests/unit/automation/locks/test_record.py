"""What a run writes of itself, read back."""

from pathlib import Path

import pytest

from automation.locks.processes import Process
from automation.locks.record import Record
from tests.unit.automation.locks.records import DEAD, record


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = record().with_cli(Process(pid=7, started=9), 3.5).with_lock("more.json")
    made.write(tmp_path / "record.json")
    assert Record.read(tmp_path / "record.json") == made
    assert made.processes == (DEAD, Process(pid=7, started=9))


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"place": 3}', '{"place": {"boot": "x"}}'])
def test_a_record_that_is_not_whole_says_nothing(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "record.json").write_text(content)
    assert Record.read(tmp_path / "record.json") is None
