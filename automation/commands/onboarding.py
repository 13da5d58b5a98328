"""`./portal new`: from a host name to a portal that its first admin can log in to."""

from typing import Annotated, Any

import typer

from automation.commands import show
from automation.commands.portals import print_facts
from automation.commands.table import Table, number, print_table, prose
from automation.portals import onboarding
from automation.portals.onboarding_request import OnboardingRequest

app = typer.Typer()
FOUND_FREE = "Default: a free one."


def option(name: str, expected: str, **how: Any) -> Any:
    """An option whose value is not empty where it is typed; what is left out is found or the default."""
    return typer.Option(name, callback=show.not_empty(f"{expected}; or leave it out"), **how)


@app.command(
    epilog="Examples: ./portal new oak --lms learn.oak.example --email head@oak.example --dry-run    "
    "./portal new oak --lms oak.localhost --mail sink --json"
)
def new(
    tenant: Annotated[
        str,
        typer.Argument(
            metavar="TENANT", help="The tenant's name: lower case letters, digits, single hyphens."
        ),
    ],
    lms: Annotated[
        str,
        typer.Option(
            "--lms",
            callback=show.not_empty("a host name, for example learn.oak.example"),
            metavar="HOST",
            help="Host name of the learners' site (LMS).",
        ),
    ],
    cms: Annotated[
        str,
        option(
            "--cms",
            "a host name, for example studio.oak.example",
            metavar="HOST",
            help="Host name of the authors' site (Studio). Default: studio.<lms>.",
        ),
    ] = "",
    title: Annotated[
        str,
        option(
            "--title",
            "1 to 80 characters, for example 'Oak University'",
            help="Title of the portal, shown on its pages.",
        ),
    ] = "",
    email: Annotated[
        str,
        option(
            "--email",
            "a mail address, for example head@oak.example",
            help="E-mail address of the first admin. Default: admin@<lms>.",
        ),
    ] = "",
    release: Annotated[
        str,
        option(
            "--release",
            "one of config/releases, for example redwood",
            help="Open edX release, one of config/releases.",
        ),
    ] = "",
    images: Annotated[
        str,
        option(
            "--images", "packages or hub", help="Image source: packages (built here) or hub (public images)."
        ),
    ] = "",
    mail: Annotated[
        str,
        option(
            "--mail",
            "direct or sink",
            help="How mail leaves: direct, or sink (a page shows it; nothing is sent).",
        ),
    ] = "",
    mail_host: Annotated[
        str,
        option(
            "--mail-host",
            "a host name, for example mail.oak.example",
            metavar="HOST",
            help="Host name of the sink's page. Default: mail.<lms>.",
        ),
    ] = "",
    address: Annotated[
        str,
        option(
            "--address",
            "an address, for example 127.0.0.1",
            help="Address on which the load balancer listens.",
        ),
    ] = "",
    port: Annotated[
        int,
        typer.Option(
            "--port",
            metavar="PORT",
            parser=show.number(8080),
            show_default=False,
            help=f"Port on which the load balancer listens. {FOUND_FREE}",
        ),
    ] = 0,
    subnet: Annotated[
        str,
        option(
            "--subnet",
            "a /24, for example 10.77.9.0/24",
            metavar="CIDR",
            help=f"A /24 subnet of the fleet's pool. {FOUND_FREE}",
        ),
    ] = "",
    docker_host: show.DockerHost = "",
    root: Annotated[
        str,
        option(
            "--root",
            "a path, for example /srv/portals",
            help="Mount point of the drive on the engine's host.",
        ),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be created. Change nothing.")
    ] = False,
    as_json: show.Json = False,
) -> None:
    """Onboard a tenant: write its file, check it, bring up the portal, create the first admin. Safe to re-run."""
    request = OnboardingRequest(
        name=tenant,
        lms=lms,
        cms=cms,
        title=title,
        email=email,
        release=release,
        images=images,
        mail=mail,
        mail_host=mail_host,
        address=address,
        port=port,
        subnet=subnet,
        docker_host=docker_host,
        root=root,
    )
    if dry_run:
        facts = onboarding.dry_run(request)
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
    print_table(table)


def print_result(facts: dict[str, Any]) -> None:
    """What the operator hands on."""
    print_facts(facts, as_json=False)
    table = Table("step", number("seconds"))
    for name, seconds in facts["steps"].items():
        table.add_row(name, float(seconds))
    print_table(table)
    show.tell(f"first log-in (one-time link): {facts['log_in_link']}")
    show.tell(f"tenant file: {facts['file']}; commit it together with tenants/Pulumi.{facts['tenant']}.yaml")
