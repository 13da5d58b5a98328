"""How commands tell: progress on standard error, facts on standard output, for people or as one JSON object."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import typer

from config.reading.errors import ConfigError
from toolchain import terminal
from toolchain.output import say, tell, tell_json

__all__ = [
    "DockerHost",
    "DryRun",
    "Json",
    "TenantName",
    "names",
    "not_empty",
    "number",
    "say",
    "say_of",
    "show",
    "tell",
]


def say_of(tenant: str, text: str) -> None:
    """Lines of progress on one tenant. Its name may be that of any file: a line break in it begins no line."""
    say(f"{terminal.line(tenant)}: {text}")


def names(tenants: Iterable[str]) -> str:
    """Names of tenants on one line, each as `say_of` has it."""
    return ", ".join(map(terminal.line, tenants))


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


DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be removed. Remove nothing.")]


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
