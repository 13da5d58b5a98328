"""The order of parts, what a failure does to the others, and a kill in the middle."""

import io
import itertools
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.setup.decide import Choice
from toolchain.setup.progress import Progress
from toolchain.setup.schedule import AFTER, Schedule
from toolchain.setup.stamps import PartResult

PACKAGES = {part: Choice("packages") for part in AFTER}


def run(
    plan: Mapping[str, Choice],
    make: Callable[[str, Choice, Callable[[str], None]], PartResult],
    stop: Callable[[], None] = lambda: None,
) -> dict[str, PartResult]:
    return Schedule(plan, make, stop, Progress(io.StringIO())).run()


def test_each_waits_for_what_it_needs() -> None:
    ended: list[str] = []
    waited: dict[str, set[str]] = {}

    def make(part: str, choice: Choice, say: Callable[[str], None]) -> PartResult:
        waited[part] = set(ended)
        ended.append(part)
        return PartResult(part=part, source=choice.source)

    assert set(run(PACKAGES, make)) == set(AFTER)
    assert all(waited[part] >= {name for name in AFTER[part] if not name.endswith("*")} for part in AFTER)


def test_builds_go_side_by_side_and_plugins_wait_for_nothing() -> None:
    barrier = threading.Barrier(2, timeout=20)

    def make(part: str, choice: Choice, say: Callable[[str], None]) -> PartResult:
        if part in ("pulumi", "language-host"):
            barrier.wait()
        return PartResult(part=part, source=choice.source)

    run(PACKAGES, make)


@pytest.mark.parametrize("part", ["plugins", "language-host"])
def test_what_the_cli_brings_waits_for_the_cli(part: str) -> None:
    ended: list[str] = []

    def make(name: str, choice: Choice, say: Callable[[str], None]) -> PartResult:
        ended.append(name)
        return PartResult(part=name, source=choice.source)

    run({"pulumi": Choice("official"), part: Choice("official")}, make)
    assert ended == ["pulumi", part]


def test_a_failure_stops_the_others_and_is_told() -> None:
    stopped = threading.Event()

    def make(part: str, choice: Choice, say: Callable[[str], None]) -> PartResult:
        if part == "engine":
            raise ToolchainError("engine: no space left")
        stopped.wait(20)
        raise ToolchainError(f"{part}: stopped")

    with pytest.raises(ToolchainError, match="engine: no space left"):
        run({"engine": Choice("debian"), "venv": Choice("packages")}, make, stopped.set)
    assert stopped.is_set()


def test_a_bug_in_a_part_is_an_error_not_a_hang() -> None:
    def make(part: str, choice: Choice, say: Callable[[str], None]) -> PartResult:
        raise KeyError("x")

    with pytest.raises(ToolchainError, match=r"^state: KeyError: 'x'$"):
        run({"state": Choice("made")}, make)


# Makes three parts of a few files each, in the way of the real ones, and says when it is about to do the next step.
PARTS = """
import io, os, sys
from pathlib import Path
from toolchain import files
from toolchain.setup.decide import Choice
from toolchain.setup.progress import Progress
from toolchain.setup.schedule import Schedule
from toolchain.setup.stamps import Stamps, PartResult

root, last = Path(sys.argv[1]), int(sys.argv[2])
stamps = Stamps(root / "stamps")
steps = 0

def step():
    global steps
    steps += 1
    if steps == last:
        os.kill(os.getpid(), 9)

def make(part, choice, say):
    files.remove_unfinished(root)
    step()
    tree = files.unfinished(root / f"{part}-tree")
    tree.mkdir()
    step()
    (tree / "half").write_text(part)
    step()
    (tree / "whole").write_text(part)
    step()
    final = root / f"{part}.{os.getpid()}"
    tree.rename(final)
    step()
    files.link(root / part, Path(final.name))
    step()
    taken = stamps.write("key", PartResult(part=part, source="made"), root / part / "whole")
    step()
    return taken

# One after the other, so that the steps have an order.
for part in ("engine", "venv", "state"):
    if stamps.read(part, "key") is None:
        Schedule({part: Choice("made")}, make, lambda: None, Progress(io.StringIO())).run()
print("all")
"""


def test_killed_at_any_step_and_run_again_it_is_whole(tmp_path: Path) -> None:
    for last in itertools.count(1):
        root = tmp_path / str(last)
        root.mkdir()
        killed = parts(root, last)
        if killed.returncode == 0:
            break
        assert killed.returncode == -signal.SIGKILL
        again = parts(root, 0)
        assert (again.returncode, again.stdout) == (0, "all\n"), again.stderr
        for part in ("engine", "venv", "state"):
            assert (root / part / "half").read_text() == (root / part / "whole").read_text() == part
        assert not [path.name for path in root.iterdir() if "unfinished" in path.name]
    assert last == 22


def parts(root: Path, last: int) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-c", PARTS, str(root), str(last)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60)
