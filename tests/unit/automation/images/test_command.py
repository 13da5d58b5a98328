"""Tools of a build: their ends and their limits."""

import sys
import threading
from pathlib import Path

import pytest

from automation.images import BuildError
from automation.images.command import run
from automation.images.event import Stopped
from testbed.waiting import until


def test_a_failed_command_ends_with_its_last_lines() -> None:
    lines: list[str] = []
    words = ["sh", "-c", "echo first; echo last >&2; exit 3"]
    with pytest.raises(BuildError) as caught:
        run(words, what="downloading", limit=20, stop=threading.Event(), on_line=lines.append)
    assert str(caught.value) == "downloading: sh ended with code 3\n  first\n  last"
    assert lines == ["first", "last"]


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(BuildError, match="downloading: /nonsuch cannot be run: No such file or directory"):
        run(["/nonsuch"], what="downloading", limit=1, stop=threading.Event(), on_line=print)


def test_a_command_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    words = ["sh", "-c", f"sleep 60 & echo $! > {pid}; wait"]
    with pytest.raises(BuildError, match="downloading: took longer than 1 s"):
        run(words, what="downloading", limit=1, stop=threading.Event(), on_line=print)
    child = Path("/proc") / pid.read_text().strip() / "stat"
    # The kernel may still be at it.
    until("the child to end", lambda: ended(child), limit=10)


def ended(stat: Path) -> bool:
    """Whether a process is gone, or a zombie that nobody has waited for yet."""
    try:
        return ") Z " in stat.read_text()
    except OSError:
        return True


def test_a_command_is_given_up_when_another_failed() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        run([sys.executable, "-c", "input()"], what="x", limit=20, stop=stop, on_line=print)


def test_what_a_tool_puts_aside_goes_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it is stopped half-way, as Ctrl-C and SIGTERM do it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stop = threading.Event()
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        stop.set()

    with pytest.raises(Stopped):
        run(
            ["sh", "-c", 'touch "$TMPDIR/pip-a"; echo "$TMPDIR"; exec tail -f /dev/null'],
            what="x",
            limit=60,
            stop=stop,
            on_line=on_line,
        )
    assert Path(lines[0]).parent == tmp_path
    assert not any(tmp_path.iterdir())
