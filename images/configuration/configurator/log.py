"""The container's log."""

import sys


def say(text: str) -> None:
    """A line of it; what a terminal would obey is shown by its number."""
    plain = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
    print(f"configuration: {plain}", file=sys.stderr, flush=True)
