"""Whether a check accepts a text, and that what it says is printable."""

from collections.abc import Callable, Sequence

import pytest


def accepts(check: Callable[[str], object], text: str) -> bool:
    reason = ""
    try:
        check(text)
    except ValueError as error:
        reason = str(error)
    assert reason.isprintable()
    return not reason


def cases(table: Sequence[tuple[Callable[[str], object], str, bool]]) -> pytest.MarkDecorator:
    """A table of checks, texts, and whether each is good, as the parameters `check`, `text` and `good`."""
    names = [f"{getattr(check, '__name__', check)}-{text!r:.40}" for check, text, _ in table]
    return pytest.mark.parametrize(("check", "text", "good"), table, ids=names)
