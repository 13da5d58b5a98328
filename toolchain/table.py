"""Tables on standard output: one line a row for a program or a file, as wide as the terminal for a person."""

import io
import sys
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as Columns
from rich.text import Text

from toolchain import terminal
from toolchain.output import tell, write

# More columns than any row has: Rich measures each cell, so no line is padded to this length.
UNFOLDED = 1_000_000
GAP = 2
# What a column of prose needs at the least to be read; below it the terminal is too narrow for whole names.
LEAST_PROSE = 20


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
        """The table as it is printed into so many columns; without a terminal each row is one line, with no colour in it."""
        shown = [
            [terminal.lines(each) if on_terminal else terminal.line(each) for each in row]
            for row in self.cells
        ]
        if self.grouped and on_terminal:
            for row, before in zip(reversed(shown[1:]), reversed(shown[:-1]), strict=True):
                if row[0] == before[0]:
                    row[0] = ""
        fits = self._fits(shown, width)
        # Text: no markup of Rich's is looked for in it.
        made = Columns(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
        for head in self.heads:
            made.add_column(
                Text(terminal.line(head.name)),
                justify="right" if head.number else "left",
                overflow="fold" if on_terminal else "ignore",
                no_wrap=not on_terminal or (fits and not head.prose),
            )
        for row in shown:
            made.add_row(*map(Text, row))
        held = io.StringIO()
        # Said, not found out: FORCE_COLOR and CI jobs' variables would have it that a pipe is a terminal.
        Console(file=held, width=width, force_terminal=on_terminal).print(made)
        # A cell that is folded begins a line anew.
        return terminal.no_commands("\n".join(each.rstrip(" ") for each in held.getvalue().split("\n")))

    def _fits(self, shown: list[list[str]], width: int) -> bool:
        """Whether a terminal has room for all but prose whole, and for some of that."""
        wanted = 0
        for column, head in enumerate(self.heads):
            lines = [head.name, *(line for row in shown for line in row[column].split("\n"))]
            longest = max(map(cell_len, lines))
            wanted += min(longest, LEAST_PROSE) if head.prose else longest
        return wanted + GAP * (len(self.heads) - 1) <= width


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
    """Print a table below its sum; of an empty one the sum alone. Raises OutputLost."""
    if total:
        tell(total)
    if table.cells:
        on_terminal = sys.stdout.isatty()
        write(table.text(Console().width if on_terminal else UNFOLDED, on_terminal=on_terminal))
