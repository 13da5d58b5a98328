"""Durations as Go writes them: 300ms, 1m30s."""

import re

UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h)")


def nanoseconds(text: str) -> int:
    """Return the duration in nanoseconds, by Go's units (https://pkg.go.dev/time#ParseDuration).

    Raises ValueError for any other text, also one with a sign.
    """
    if text == "0":
        return 0
    parts = PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError("is not a duration, for example '30s'")
    return sum(round(float(number) * UNITS[unit]) for number, unit in parts)


def broken_duration(text: str) -> str:
    """Say what is wrong with a duration, or ''."""
    try:
        nanoseconds(text)
    except ValueError as error:
        return str(error)
    return ""


def duration(nanoseconds: int) -> str:
    """Return nanoseconds as a duration, in the largest unit that holds them whole."""
    for unit in ("h", "m", "s", "ms", "us"):
        if nanoseconds and nanoseconds % UNITS[unit] == 0:
            return f"{nanoseconds // UNITS[unit]}{unit}"
    return f"{nanoseconds}ns" if nanoseconds else "0s"
