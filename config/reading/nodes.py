"""What a YAML file holds: keys and values as written, each with its line, nothing expanded or guessed.

Scalars keep their text: `no`, `010` and `22:22` are not what they look like, and only who knows what is wanted
can say so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from config.reading.words import quoted

_SIMPLE_KEY = re.compile(r"[A-Za-z0-9._-]{1,40}")
_TRUE = ("yes", "true", "on")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value: its text, and what YAML 1.1 takes it for (`refused`: its finding has been made)."""

    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        if self.kind in ("nothing", "refused"):
            return "nothing"
        shown = quoted(self.text)
        if self.kind == "text":
            return f"the text {shown}"
        if self.kind == "truth value":
            value = str(self.text.lower() in _TRUE).lower()
            return f"the boolean {value}" + (f" (written {shown})" if self.text != value else "")
        return f"the {self.kind} {shown[1:-1]}"


@dataclass(frozen=True, slots=True)
class Series:
    """A list of values."""

    line: int
    items: tuple[Node, ...]

    def __str__(self) -> str:
        return "a list"


@dataclass(frozen=True, slots=True)
class Section:
    """Keys with their values, in the order of the file. `last` is the line where it ends."""

    line: int
    items: dict[str, Node]
    last: int

    def __str__(self) -> str:
        return "keys with values"


Node = Scalar | Series | Section


def join(path: str, key: str) -> str:
    """The path of a key below another; odd keys are quoted."""
    shown = key if _SIMPLE_KEY.fullmatch(key) else quoted(key)
    return f"{path}/{shown}" if path else shown
