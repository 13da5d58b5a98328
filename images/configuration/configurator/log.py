"""Writes lines to the container's log."""

import sys


def say(text: str) -> None:
    """Write one line to standard error; a control character is written as its number."""
    plain = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
    print(f"configuration: {plain}", file=sys.stderr, flush=True)
