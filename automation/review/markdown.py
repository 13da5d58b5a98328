"""Text of others on a Markdown page (a comment, a job's summary): it is seen as it is, and is nothing but text."""

from collections.abc import Iterable

from toolchain import terminal

# Of a name or a reason; what is longer is not read.
MOST = 300


def cut(text: str, limit: int) -> str:
    """Text on one line: what cannot be seen is written out, what is too long is counted."""
    shown = terminal.line(text[:limit])
    if len(text) <= limit and len(shown) <= limit:
        return shown
    return f"{shown[:limit]}… ({len(text):,} characters)"


def code(text: str) -> str:
    """Text of others between our own: nothing in it is Markdown, HTML, a cell's end, a link or a mention."""
    # "www." alone begins a link.
    return f"<code>{''.join(map(_plain, cut(text, MOST)))}</code>".replace("www.", "www&#46;")


def rows(head: Iterable[str], cells: Iterable[Iterable[str]]) -> str:
    """A table; `head` is ours, every text below it is others'."""
    heads = list(head)
    lines = [heads, ["---"] * len(heads), *([code(each) for each in row] for row in cells)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _plain(letter: str) -> str:
    # A numeric reference is never structure: https://spec.commonmark.org/0.31.2/#entity-and-numeric-character-references
    return letter if letter.isalnum() or letter in " -/,;.()" else f"&#{ord(letter)};"
