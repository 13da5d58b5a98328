"""`./portal new`: from a host name to a portal that its first admin can log in to."""

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from inspect import Parameter, Signature, signature
from typing import Annotated, Any

import typer

from automation.commands import show
from automation.commands.portals import print_facts, print_openedx
from automation.portals import onboarding
from automation.portals.onboarding_request import FIRST_PORT, OnboardingRequest, Option, options
from config.reading.words import count_of
from config.releases import pins
from toolchain.table import Table, number, print_table, prose

app = typer.Typer()


def options_of_a_request(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each field of a request, in the place of its `**asked`.

    Typer reads a command's signature and its annotations: https://typer.tiangolo.com/tutorial/parameter-types/
    """
    first, *others = (
        each for each in signature(command).parameters.values() if each.kind is not Parameter.VAR_KEYWORD
    )
    known = options()
    parameters = [
        parameter(each, known[each.name]) for each in fields(OnboardingRequest) if each.name in known
    ]
    # What has to be said stands first in the help.
    parameters.sort(key=lambda each: each.default is not Parameter.empty)
    made = Signature([first, *parameters, *others])
    command.__annotations__ = {name: each.annotation for name, each in made.parameters.items()}
    command.__signature__ = made  # type: ignore[attr-defined]
    return command


def parameter(request_field: Field[Any], option: Option) -> Parameter:
    """A field of a request as a parameter that Typer makes an option of; what is typed is not empty."""
    flag = f"--{request_field.name.replace('_', '-')}"
    required = request_field.default is MISSING
    if request_field.type is int:
        typed = typer.Option(
            flag, metavar=option.metavar, parser=show.number(FIRST_PORT), show_default=False, help=option.help
        )
    else:
        expected = option.expected if required else f"{option.expected}; or leave it out"
        typed = typer.Option(
            flag, metavar=option.metavar, callback=show.not_empty(expected), help=option.help
        )
    return Parameter(
        request_field.name,
        Parameter.KEYWORD_ONLY,
        default=Parameter.empty if required else request_field.default,
        annotation=Annotated[request_field.type, typed],
    )


@app.command(
    epilog="Examples: ./portal new oak --lms learn.oak.example --email head@oak.example --dry-run    "
    "./portal new oak --lms oak.localhost --mail sink --json"
)
@options_of_a_request
def new(
    tenant: Annotated[
        str,
        typer.Argument(
            metavar="TENANT", help="The tenant's name: lower case letters, digits, single hyphens."
        ),
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be created. Change nothing.")
    ] = False,
    as_json: show.Json = False,
    **options: Any,
) -> None:
    """Onboard a tenant: write its file, check it, bring up the portal, create the first admin. Safe to re-run."""
    request = OnboardingRequest(name=tenant, **options)
    if dry_run:
        facts = onboarding.dry_run(request, show.say)
        if as_json:
            show.show(facts)
        else:
            print_dry_run(facts)
        if facts["refused"]:
            show.say(f"error: {facts['refused']}")
            raise typer.Exit(facts["exit_code"])
        return
    facts = onboarding.onboard(request, show.say)
    if as_json:
        show.show(facts)
        return
    print_result(facts)


def print_dry_run(facts: dict[str, Any]) -> None:
    """What would be: the tenant file, then a row for each thing."""
    show.tell(facts["text"] or f"{facts['file']} exists already and stays unchanged")
    table = Table("would be", prose(""))
    openedx = facts["openedx"]
    support = "supported until" if openedx["supported"] else "not supported since"
    table.add_row("release", f"{openedx['title']}, {support} {openedx['support_ends']}")
    table.add_row("images", openedx["images"])
    table.add_row("directory", facts["directory"])
    for name, subnet in facts["networks"].items():
        table.add_row(f"network {name}", subnet)
    for service, url in facts["addresses"].items():
        table.add_row(f"address {service}", url)
    table.add_row("services", facts["services"])
    memory = facts["memory_mib"]
    table.add_row("memory", f"{memory['at_least']} MiB at least, {memory['at_most']} MiB at most")
    table.add_row("running", facts["running"] or "none")
    if facts["note"]:
        table.add_row("host", facts["note"].removeprefix(f"{facts['tenant']}: "))
    if facts["digests"]:
        table.add_row("config/pins.yml", f"{count_of(len(facts['digests']), 'digest')} more")
    print_table(table)
    print_openedx(facts)


def print_result(facts: dict[str, Any]) -> None:
    """What the operator hands on."""
    print_facts(facts, as_json=False)
    table = Table("step", number("seconds"))
    for name, seconds in facts["steps"].items():
        table.add_row(name, float(seconds))
    print_table(table)
    show.tell(f"first log-in (one-time link): {facts['log_in_link']}")
    show.tell(
        f"tenant file: {facts['file']}; commit it together with tenants/Pulumi.{facts['tenant']}.yaml"
        + (f" and config/{pins.NAME}" if facts["openedx"]["images"] == "hub" else "")
    )
    print_openedx(facts)
