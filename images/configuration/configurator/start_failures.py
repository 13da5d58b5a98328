"""Why a new generation did not start, and when it is tried again: pure functions."""

from enum import Enum

# sysexits.h: the software found its settings wrong.
CONFIG = 78
# sysexits.h, temporary by definition: no memory or process, no space or drive, try later.
TEMPORARY_CODES = (71, 74, 75)
# Exit codes from here on: ended by a signal, for example 137 by the kernel because memory ran out.
SIGNALS = 128
FIRST_SECONDS, LONGEST_SECONDS = 60.0, 3600.0
# An import error has no code of its own (1; with gunicorn 3, with uWSGI 22). After so many in a row the settings are
# taken as the cause.
MOST_FAILURES = 3
# Each try starts a second generation beside the first, and the memory may be too small for both.
MOST_TRIES = 8


class Cause(Enum):
    """Why a generation did not start: wrong settings, unknown, or something temporary that says nothing of them."""

    WRONG_SETTINGS = "wrong settings"
    UNKNOWN = "unknown"
    TEMPORARY = "temporary"


def cause_of(code: int | None) -> Cause:
    """The cause by the exit code as a shell gives it; None means not ready in time."""
    if code == CONFIG:
        return Cause.WRONG_SETTINGS
    if code is None or code >= SIGNALS or code in TEMPORARY_CODES:
        return Cause.TEMPORARY
    return Cause.UNKNOWN


def is_final(cause: Cause, tries: int) -> bool:
    """Whether a configuration is refused after so many failed tries, the last with this cause."""
    return cause is Cause.WRONG_SETTINGS or (cause is Cause.UNKNOWN and tries >= MOST_FAILURES)


def retry_delay(tries: int) -> float | None:
    """Seconds until the next try after so many; None if it is not tried again until something changes."""
    if tries >= MOST_TRIES:
        return None
    return min(FIRST_SECONDS * 2.0 ** (tries - 1), LONGEST_SECONDS)
