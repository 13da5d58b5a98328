"""`./portal test` and `./portal lint`: the project's own checks."""

import typer

from automation import checks
from automation.commands import show

app = typer.Typer()


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def test(context: typer.Context) -> None:
    """Run ruff, mypy and every test; words after it go to pytest, for example `./portal test -k tenant`."""
    raise typer.Exit(checks.test(context.args, show.say))


@app.command()
def lint() -> None:
    """Run ruff and mypy."""
    raise typer.Exit(checks.lint(show.say))
