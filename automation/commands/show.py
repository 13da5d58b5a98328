"""How commands tell: progress on standard error, facts on standard output, for people or as one JSON object."""

import io
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from toolchain import terminal
from toolchain.output import say, tell, tell_json, write

__all__ = ["Json", "TenantName", "rows", "say", "show", "table", "tell"]

TenantName = Annotated[str, typer.Argument(metavar="TENANT", help="A file of tenants/, without .yaml.")]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output; progress on standard error.")
]


def show(facts: Any) -> None:
    """Facts as one JSON object."""
    tell_json(facts)


class Rows(Table):
    """A plain table that a pipe can read, too; what stands in it is shown as it is, and obeyed by nobody."""

    def add_row(self, *cells: Any, **more: Any) -> None:
        """One row of texts."""
        # Text: no markup of rich's is looked for in it.
        super().add_row(*(Text(terminal.lines(str(each))) for each in cells), **more)


def table(*columns: str) -> Rows:
    """A table with these heads."""
    made = Rows(box=None, pad_edge=False)
    for column in columns:
        made.add_column(Text(terminal.line(column)), overflow="fold")
    return made


def rows(made: Table) -> None:
    """Print a table, as wide as the terminal is."""
    held = io.StringIO()
    usual = Console()
    Console(file=held, width=usual.width, force_terminal=usual.is_terminal).print(made)
    # A text that is folded begins lines anew.
    write(terminal.no_commands(held.getvalue()))
