"""What the end of a new generation says of its configuration, and when it is tried again: pure functions."""

from enum import Enum

# sysexits.h: what software says of its own settings when it has looked at them.
CONFIG = 78
# Temporary by their own meaning: no memory or process, no space or drive, try later.
TEMPORARY = (71, 74, 75)
# A shell's code of a process that a signal ended, 137 being the kernel's for want of memory.
SIGNALS = 128
FIRST_SECONDS, LONGEST_SECONDS = 60.0, 3600.0
# An import error has no code of its own (1, and gunicorn's 3, uWSGI's 22): seen so often in a row it is no accident.
MOST_FAILURES = 3
# Each try starts a second generation beside the first, which may be what the memory does not hold.
MOST_TRIES = 8


class Verdict(Enum):
    """WRONG: the software says so. FAILED: it may be so. UNTRIED: something else kept it from being tried."""

    WRONG = "wrong"
    FAILED = "failed"
    UNTRIED = "untried"


def of(code: int | None) -> Verdict:
    """By the exit code as a shell says it; None is one that was not ready in time."""
    if code == CONFIG:
        return Verdict.WRONG
    if code is None or code >= SIGNALS or code in TEMPORARY:
        return Verdict.UNTRIED
    return Verdict.FAILED


def final(verdict: Verdict, tries: int) -> bool:
    """Whether a configuration counts as refused after so many tries with this last verdict."""
    return verdict is Verdict.WRONG or (verdict is Verdict.FAILED and tries >= MOST_FAILURES)


def delay(tries: int) -> float | None:
    """Seconds until the next try after so many; None when there is none until something changes."""
    if tries >= MOST_TRIES:
        return None
    return min(FIRST_SECONDS * 2.0 ** (tries - 1), LONGEST_SECONDS)
