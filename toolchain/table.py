"""Tables: one line a row in a pipe or a file, as wide as the terminal for a person. Needs nothing but Python.

It prints what `./portal setup` installs, before there are other packages.
"""

import shutil
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import Enum
from itertools import zip_longest
from typing import Any

from toolchain import terminal
from toolchain.output import say_laid_out, tell, write

# As wide as no row is: nothing is folded.
UNFOLDED = 1_000_000
GAP = 2
# What a column of prose needs at the least to be read; below it the terminal is too narrow for whole names.
LEAST_PROSE = 20
BOLD, NORMAL = "\x1b[1m", "\x1b[0m"


@dataclass(frozen=True, kw_only=True)
class Head:
    """A column's name. `prose` is folded first where the terminal is narrow; `number` stands at the right."""

    name: str
    prose: bool = False
    number: bool = False


def prose(name: str) -> Head:
    """A column of sentences, lists or paths, which may be folded on a terminal."""
    return Head(name=name, prose=True)


def number(name: str) -> Head:
    """A column of numbers."""
    return Head(name=name, number=True)


class Table:
    """Rows below heads; what stands in them is shown as it is, and obeyed by nobody.

    With `grouped` a terminal shows the first column's value once for all rows in a row that have it; a pipe has it in each, so
    that every line can be found by it.
    """

    def __init__(self, *heads: str | Head, grouped: bool = False) -> None:
        self.heads = tuple(each if isinstance(each, Head) else Head(name=each) for each in heads)
        self.grouped = grouped
        self.cells: list[tuple[str, ...]] = []

    def add_row(self, *cells: Any) -> None:
        """One row. Raises ValueError when it has not a cell for each head."""
        if len(cells) != len(self.heads):
            raise ValueError(f"{len(cells)} cells below {len(self.heads)} heads")
        self.cells.append(tuple(map(plain, cells)))

    def text(self, width: int, *, on_terminal: bool) -> str:
        """The table in so many columns; without a terminal each row is one line. Each line ends with a line end."""
        return "".join(
            f"{line}\n" for line in (*self._heads(width, on_terminal), *self._body(width, on_terminal))
        )

    def bold_text(self, width: int) -> str:
        """As `text` for a terminal, with bold heads."""
        heads = (f"{BOLD}{line}{NORMAL}" for line in self._heads(width, on_terminal=True))
        return "".join(f"{line}\n" for line in (*heads, *self._body(width, on_terminal=True)))

    def _heads(self, width: int, on_terminal: bool) -> list[str]:
        return self._lines(
            [terminal.line(head.name) for head in self.heads], self._widths(width, on_terminal)
        )

    def _body(self, width: int, on_terminal: bool) -> list[str]:
        widths = self._widths(width, on_terminal)
        return [line for row in self._shown(on_terminal) for line in self._lines(row, widths)]

    def _shown(self, on_terminal: bool) -> list[list[str]]:
        """The cells with all that a terminal would obey written out."""
        shown = [
            [terminal.lines(each).expandtabs() if on_terminal else terminal.line(each) for each in row]
            for row in self.cells
        ]
        if self.grouped and on_terminal:
            for row, before in zip(reversed(shown[1:]), reversed(shown[:-1]), strict=True):
                if row[0] == before[0]:
                    row[0] = ""
        return shown

    def _widths(self, width: int, on_terminal: bool) -> list[int]:
        """The width of each column. Where all do not fit, prose is narrowed first, then the widest columns."""
        rows = [[terminal.line(head.name) for head in self.heads], *self._shown(on_terminal)]
        widths = [
            min(width, max(cell_len(line) for row in rows for line in row[column].split("\n")))
            for column in range(len(self.heads))
        ]
        room = width - GAP * (len(self.heads) - 1)
        for least, columns in (
            (LEAST_PROSE, [column for column, head in enumerate(self.heads) if head.prose]),
            (1, list(range(len(self.heads)))),
        ):
            while sum(widths) > room and (wide := [each for each in columns if widths[each] > least]):
                widest = max(wide, key=widths.__getitem__)
                widths[widest] -= 1
        return widths

    def _lines(self, row: Sequence[str], widths: Sequence[int]) -> list[str]:
        """A row as lines: each cell folded to its column, no space at the end, no command of a CI job's log."""
        columns = [list(folded(cell, width)) for cell, width in zip(row, widths, strict=True)]
        made = []
        for parts in zip_longest(*columns, fillvalue=""):
            cells = [
                " " * (width - cell_len(part)) + part
                if head.number
                else part + " " * (width - cell_len(part))
                for part, width, head in zip(parts, widths, self.heads, strict=True)
            ]
            made.append(terminal.no_commands((" " * GAP).join(cells).rstrip(" ")))
        return made


def cell_len(text: str) -> int:
    """How many columns of a terminal a text takes: two for a wide letter, none for one that joins the letter before it."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def folded(text: str, width: int) -> Iterator[str]:
    """The lines of a text in a column: broken at spaces, and inside a word only where that is longer than the column."""
    for line in text.split("\n"):
        here = ""
        for word in line.split(" "):
            joined = f"{here} {word}" if here else word
            if cell_len(joined) <= width:
                here = joined
                continue
            if here:
                yield here
            here = word
            while cell_len(here) > width:
                cut = _cut(here, width)
                yield here[:cut]
                here = here[cut:]
        yield here


def _cut(text: str, width: int) -> int:
    """How many letters at the beginning of a text fit into a column: one at the least."""
    used = 0
    for place, letter in enumerate(text):
        used += _cells(letter)
        if used > width and place:
            return place
    return len(text)


def plain(value: Any) -> str:
    """A value in words: nothing of a program's own notation is shown to people."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Enum):
        # Python's own text of a member is `Kind.NAME`, but where the kind has words of its own.
        words = str(value)
        return value.name.lower() if words == f"{type(value).__name__}.{value.name}" else words
    if isinstance(value, Mapping):
        return ", ".join(f"{plain(key)}: {plain(each)}" for key, each in value.items())
    if isinstance(value, Sequence | Set):
        return ", ".join(map(plain, value))
    return str(value)


def print_table(table: Table, total: str = "") -> None:
    """Print a table below its sum on standard output; of an empty one the sum alone. Raises OutputLost."""
    if total:
        tell(total)
    if table.cells:
        on_terminal = sys.stdout.isatty()
        write(table.bold_text(_columns()) if on_terminal else table.text(UNFOLDED, on_terminal=False))


def say_table(table: Table, total: str) -> None:
    """Print a table below its sum on standard error, as progress. Never fails."""
    on_terminal = sys.stderr.isatty()
    text = table.bold_text(_columns()) if on_terminal else table.text(UNFOLDED, on_terminal=False)
    say_laid_out(f"{terminal.lines(total)}\n{text}")


def _columns() -> int:
    return shutil.get_terminal_size().columns
