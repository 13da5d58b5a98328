"""How commands tell: progress on standard error, facts on standard output, for people or as one JSON object."""

import io
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.reading.errors import ConfigError
from toolchain import terminal
from toolchain.output import say, tell, tell_json, write

__all__ = ["DockerHost", "Json", "TenantName", "not_empty", "number", "rows", "say", "show", "table", "tell"]


# Columns; a cell is as wide as its text, so this is no line's length.
UNFOLDED = 1_000_000


def not_empty(expected: str) -> Callable[[typer.Context, typer.CallbackParam, str], str]:
    """What refuses an option's empty value where it was typed: a variable that is not set is no wish for the default."""

    def refuse(context: typer.Context, option: typer.CallbackParam, value: str) -> str:
        source = context.get_parameter_source(str(option.name))
        if value == "" and source is not None and source.name == "COMMANDLINE":
            raise ConfigError(f"{option.opts[0]}: is empty, expected {expected}")
        return value

    return refuse


TenantName = Annotated[
    str, typer.Argument(metavar="TENANT", help="The tenant's name: a file of tenants/ without .yaml.")
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object on standard output. Progress goes to standard error."),
]


DockerHost = Annotated[
    str,
    typer.Option(
        "--docker-host",
        callback=not_empty("an engine's address, for example ssh://ops@host-1; or leave it out"),
        help="The Docker engine. Default: the shell's own (DOCKER_HOST).",
    ),
]


def number(example: int) -> Callable[[str], int]:
    """What reads an option's whole number, and refuses all else by the option's example."""

    def read(value: str | int) -> int:
        try:
            return int(value)
        except ValueError:
            raise typer.BadParameter(f"{value!r} is not a number, for example {example}") from None

    return read


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
    """Print a table, as wide as the terminal is; for a program or a file each row is one line."""
    held = io.StringIO()
    Console(file=held, width=width(), force_terminal=Console().is_terminal).print(made)
    told = "\n".join(each.rstrip(" ") for each in held.getvalue().split("\n"))
    # A text that is folded begins lines anew.
    write(terminal.no_commands(told))


def width() -> int:
    """Columns that a line may have: a terminal's, or more than any text of ours where nobody looks at one."""
    return Console().width if sys.stdout.isatty() else UNFOLDED
