"""Waits for a condition. Each wait has a limit and an error that says what it waited for."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
POLL_SECONDS = 0.1
LONGEST_POLL_SECONDS = 0.5
# A probe in a container takes 70 ms of processor time. Asking all the time would slow down what is waited for.
PAUSES = 3


def until(what: str, look: Callable[[], T], *, limit: float = 30.0) -> T:
    """The first true answer of `look`. After `limit` seconds raises AssertionError with `what` and the last answer.

    A slow `look` is repeated less often, so that all looks together take a quarter of the time.
    """
    end = time.monotonic() + limit
    while True:
        began = time.monotonic()
        answer = look()
        if answer:
            return answer
        now = time.monotonic()
        if now > end:
            raise AssertionError(f"waited {limit:.0f} s for {what}; the last look gave {answer!r}")
        time.sleep(min(max(POLL_SECONDS, PAUSES * (now - began)), LONGEST_POLL_SECONDS))


def until_none(what: str, look: Callable[[], list[str]], *, limit: float = 30.0) -> None:
    """Wait until `look` finds nothing. After `limit` seconds raises AssertionError with what is still there."""
    left: list[str] = []

    def gone() -> bool:
        left[:] = look()
        return not left

    try:
        until(what, gone, limit=limit)
    except AssertionError:
        raise AssertionError(f"waited {limit:.0f} s for {what}; still there: {left}") from None
