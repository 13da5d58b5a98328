"""health.sh: eager until the first success, paced after it, eager again after a failure."""

import os
import subprocess
import time
from pathlib import Path

from components.service import health_script


def look(tmp_path: Path, pause: str, *probe: str) -> tuple[int, float]:
    script = tmp_path / "health.sh"
    # The mark lies in the container's /tmp; here in a folder of this test's own.
    script.write_text(health_script().replace("/tmp/.healthy", str(tmp_path / "mark")))
    start = time.monotonic()
    ended = subprocess.run(["sh", str(script), pause, *probe], timeout=30, check=False, env=dict(os.environ))
    return ended.returncode, time.monotonic() - start


def test_a_failure_is_told_at_once_and_leaves_no_mark(tmp_path: Path) -> None:
    code, _ = look(tmp_path, "20", "false")
    assert code == 1
    assert not (tmp_path / "mark").exists()


def test_the_first_success_is_told_at_once(tmp_path: Path) -> None:
    code, seconds = look(tmp_path, "20", "true")
    assert code == 0
    assert seconds < 10
    assert (tmp_path / "mark").exists()


def test_after_a_success_it_waits_before_it_looks(tmp_path: Path) -> None:
    (tmp_path / "mark").touch()
    code, seconds = look(tmp_path, "1", "true")
    assert code == 0
    assert seconds >= 1


def test_a_failure_after_a_success_takes_the_mark_away(tmp_path: Path) -> None:
    (tmp_path / "mark").touch()
    code, _ = look(tmp_path, "0", "false")
    assert code == 1
    assert not (tmp_path / "mark").exists()


def test_the_probe_gets_its_words(tmp_path: Path) -> None:
    assert look(tmp_path, "0", "test", "a b", "=", "a b")[0] == 0
