"""`./portal new`: from a host name to a portal that its first admin can log in to."""

from typing import Annotated, Any

import typer

from automation.commands import show
from automation.commands.portals import print_facts
from automation.portals import onboarding
from automation.portals.onboarding_request import Wish

app = typer.Typer()
FOUND = "Default: a free one."


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
            help=f"Port on which the load balancer listens. {FOUND}",
        ),
    ] = 0,
    subnet: Annotated[
        str,
        option(
            "--subnet",
            "a /24, for example 10.77.9.0/24",
            metavar="CIDR",
            help=f"A /24 subnet of the fleet's pool. {FOUND}",
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
    wish = Wish(
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
        told = onboarding.rehearse(wish)
        if as_json:
            show.show(told)
        else:
            print_rehearsal(told)
        if told["refused"]:
            show.say(f"error: {told['refused']}")
            raise typer.Exit(told["exit_code"])
        return
    told = onboarding.onboard(wish, show.say)
    if as_json:
        show.show(told)
        return
    handed_on(told)


def print_rehearsal(told: dict[str, Any]) -> None:
    """What would be: the tenant file, then a row for each thing."""
    show.tell(told["text"] or f"{told['file']} exists already and stays unchanged")
    made = show.table("would be", "")
    made.add_row("directory", told["directory"])
    for name, subnet in told["networks"].items():
        made.add_row(f"network {name}", subnet)
    for service, url in told["addresses"].items():
        made.add_row(f"address {service}", url)
    made.add_row("services", ", ".join(told["services"]))
    memory = told["memory_mib"]
    made.add_row("memory", f"{memory['at_least']} MiB at least, {memory['at_most']} MiB at most")
    made.add_row("running", ", ".join(told["running"]) or "none")
    if told["note"]:
        made.add_row("host", told["note"].removeprefix(f"{told['tenant']}: "))
    show.rows(made)


def handed_on(told: dict[str, Any]) -> None:
    """What the operator hands on."""
    print_facts(told, as_json=False)
    made = show.table("step", "seconds")
    for name, seconds in told["steps"].items():
        made.add_row(name, f"{seconds:.1f}")
    show.rows(made)
    show.tell(f"first log-in (one-time link): {told['log_in_link']}")
    show.tell(f"tenant file: {told['file']}; commit it together with tenants/Pulumi.{told['tenant']}.yaml")
