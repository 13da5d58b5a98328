"""Turns at the engine: many side by side, one alone, and who waits to be alone is not overtaken."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from testbed.waiting import until
from tests.running import turns

HERE = Path(turns.__file__)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


class Turn:
    """A turn that is held in a thread until it is given back."""

    def __init__(self, pool: ThreadPoolExecutor, folder: Path, *, alone: bool) -> None:
        self.has, self.back = threading.Event(), threading.Event()
        self.done: Future[None] = pool.submit(self._hold, folder, alone)

    def _hold(self, folder: Path, alone: bool) -> None:
        with turns.turn(folder, alone=alone):
            self.has.set()
            assert self.back.wait(20)

    def end(self) -> None:
        self.back.set()
        self.done.result(20)


@pytest.fixture
def begin(pool: ThreadPoolExecutor, tmp_path: Path) -> Callable[[bool], Turn]:
    return lambda alone: Turn(pool, tmp_path, alone=alone)


def test_two_are_side_by_side_and_one_alone_waits_for_both(begin: Callable[[bool], Turn]) -> None:
    one, two = begin(False), begin(False)
    assert one.has.wait(20)
    assert two.has.wait(20)
    alone = begin(True)
    one.end()
    assert not alone.has.wait(0.3)
    two.end()
    assert alone.has.wait(20)
    alone.end()


def test_nobody_overtakes_who_waits_to_be_alone(begin: Callable[[bool], Turn], tmp_path: Path) -> None:
    first = begin(False)
    assert first.has.wait(20)
    alone = begin(True)
    until("the queue to be held", lambda: _held(tmp_path / "queue"))
    late = begin(False)
    assert not late.has.wait(0.3)
    first.end()
    assert alone.has.wait(20)
    assert not late.has.wait(0.3)
    alone.end()
    assert late.has.wait(20)
    late.end()


def test_a_turn_that_does_not_come_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LIMIT_SECONDS", 0.2)
    with (
        turns.turn(tmp_path, alone=False),
        pytest.raises(AssertionError, match="waited 0 s for the engine"),
        turns.turn(tmp_path, alone=True),
    ):
        pass


def _held(path: Path) -> bool:
    import fcntl

    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
