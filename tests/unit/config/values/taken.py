"""Whether a check takes a text, and that what it says is printable."""

from collections.abc import Callable


def taken(check: Callable[[str], object], text: str) -> bool:
    reason = ""
    try:
        check(text)
    except ValueError as error:
        reason = str(error)
    assert reason.isprintable()
    return not reason
