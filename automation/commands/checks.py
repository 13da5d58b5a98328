"""`./portal test` and `./portal lint`: the project's own checks."""

import typer

from automation import checks
from automation.commands import show

app = typer.Typer()


@app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": ["--help", "-h"],
    },
    options_metavar="[--help] [PYTEST ARGUMENTS...]",
    epilog="Examples: ./portal test    ./portal test -k tenant    ./portal test -m 'not e2e'    "
    "./portal test tests/unit/config/tenant/test_tenant.py    ./portal test -- --help (pytest's own).\n\n"
    "With arguments it does not lint. Missing images are built first.",
)
def test(context: typer.Context) -> None:
    """Run ruff, mypy and the tests. Arguments go to pytest."""
    raise typer.Exit(checks.test(context.args, show.say))


@app.command(epilog="Example: ./portal lint")
def lint() -> None:
    """Run ruff and mypy."""
    raise typer.Exit(checks.lint(show.say))
