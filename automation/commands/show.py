"""How commands tell: progress on standard error, facts on standard output, for people or as one JSON object."""

import json
import sys
import threading
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

TenantName = Annotated[str, typer.Argument(metavar="TENANT", help="A file of tenants/, without .yaml.")]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output; progress on standard error.")
]
_LINE = threading.Lock()


def say(text: str) -> None:
    """A line of progress, whole even when several runs tell at once."""
    with _LINE:
        print(text, file=sys.stderr, flush=True)


def show(facts: Any) -> None:
    """Facts as one JSON object."""
    print(json.dumps(facts, indent=2, sort_keys=True))


def table(*columns: str) -> Table:
    """A plain table that a pipe can read, too."""
    made = Table(box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def rows(made: Table) -> None:
    """Print a table."""
    Console().print(made)
