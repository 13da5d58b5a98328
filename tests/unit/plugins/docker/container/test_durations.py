"""Durations as Go writes them."""

import pytest

from plugins.docker.container.durations import broken_duration, duration, nanoseconds

# --- small parts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("0", 0), ("500ms", 5 * 10**8), ("1m30s", 90 * 10**9), ("1.5h", 5400 * 10**9)],
)
def test_durations(text: str, seconds: int) -> None:
    assert nanoseconds(text) == seconds
    assert nanoseconds(duration(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "5", "s", "1 s", "-1s", "1d"])
def test_bad_durations(text: str) -> None:
    assert "is not a duration" in broken_duration(text)
