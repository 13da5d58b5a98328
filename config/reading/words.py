"""How findings quote what was found and suggest what was meant."""

import difflib
import unicodedata
from collections.abc import Iterable

# Longer texts are cut: a finding is one line, however large the file it speaks of.
LONGEST = 60
# A path must be told whole to be found.
LONGEST_PATH = 300


def quoted(text: str, longest: int = LONGEST) -> str:
    """The text in single quotes, on one line; what cannot be seen is escaped, so that it cannot hide."""
    cut = text[:longest]
    if not cut.isprintable():
        cut = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in cut)
    return f"'{cut}{'…' if len(text) > longest else ''}'"


def excerpt(text: str, longest: int = LONGEST) -> str:
    """The text as `quoted` shows it, without the quotes."""
    return quoted(text, longest)[1:-1]


def character(one: str) -> str:
    """A character by its Unicode name and number: letters that look alike differ in these."""
    return f"{unicodedata.name(one, 'a character without a name')} (U+{ord(one):04X})"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` when one of the known words is near, else nothing."""
    # Beyond any known word's length nothing is near, and the comparison is slow.
    close = difflib.get_close_matches(word[:LONGEST].lower(), list(known), n=1)
    return f"; did you mean {quoted(close[0])}?" if close else ""


def count_of(number: int, noun: str) -> str:
    """How many of something, in words: `1 directory`, `2 directories`, `3 containers`."""
    if number == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {plural}"


def characters(text: str) -> str:
    """How many characters a text has, in words."""
    return count_of(len(text), "character")


def comma_separated(words: Iterable[str]) -> str:
    """The words in their order, with commas, or `none`."""
    return ", ".join(words) or "none"
