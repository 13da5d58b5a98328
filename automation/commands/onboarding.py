"""`./portal new`: from a host name to a portal that its first admin can log in to."""

from typing import Annotated, Any

import typer

from automation import onboarding
from automation.commands import show
from automation.commands.portals import print_facts
from automation.wish import Wish

app = typer.Typer()
FOUND = "Found free when it is not said."


@app.command(
    epilog="Examples: ./portal new oak --lms learn.oak.example --email head@oak.example --dry-run    "
    "./portal new oak --lms oak.localhost --mail sink --json"
)
def new(
    tenant: Annotated[
        str, typer.Argument(metavar="TENANT", help="Its name: lower case, digits, single hyphens.")
    ],
    lms: Annotated[str, typer.Option("--lms", metavar="HOST", help="Where learners go.")],
    cms: Annotated[
        str, typer.Option("--cms", metavar="HOST", help="Where authors go; studio.<lms> if not said.")
    ] = "",
    title: Annotated[str, typer.Option(help="What people call the portal.")] = "",
    email: Annotated[str, typer.Option(help="The first admin's; admin@<lms> if not said.")] = "",
    release: Annotated[str, typer.Option(help="One of config/releases.")] = "",
    images: Annotated[str, typer.Option(help="packages or hub.")] = "",
    mail: Annotated[str, typer.Option(help="direct, or sink for a page that shows the mails.")] = "",
    mail_host: Annotated[
        str, typer.Option(metavar="HOST", help="The sink's page; mail.<lms> if not said.")
    ] = "",
    address: Annotated[str, typer.Option(help="Where the load balancer listens.")] = "",
    port: Annotated[int, typer.Option(help=FOUND)] = 0,
    subnet: Annotated[str, typer.Option(metavar="CIDR", help=f"A /24 of the fleet's pool. {FOUND}")] = "",
    docker_host: Annotated[str, typer.Option(help="The engine, when it is not the shell's own.")] = "",
    root: Annotated[str, typer.Option(help="Where the drive is mounted.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show everything, and touch nothing.")] = False,
    as_json: show.Json = False,
) -> None:
    """Onboard a tenant: file, checks, portal, first admin. Interrupted anywhere, the same words go on."""
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
            return
        show.tell(told["text"] or f"{told['file']} is there already, and stays as it is")
        made = show.table("would be", "")
        for key in ("directory", "networks", "addresses", "services", "memory_mib", "running"):
            made.add_row(key, str(told[key]))
        show.rows(made)
        return
    told = onboarding.onboard(wish, show.say)
    if as_json:
        show.show(told)
        return
    handed_on(told)


def handed_on(told: dict[str, Any]) -> None:
    """What the operator hands on."""
    print_facts(told, as_json=False)
    made = show.table("step", "seconds")
    for name, seconds in told["steps"].items():
        made.add_row(name, f"{seconds:.1f}")
    show.rows(made)
    show.tell(f"first log-in, good once: {told['log_in_link']}")
    show.tell(f"tenant file: {told['file']}; commit it, and tenants/Pulumi.{told['tenant']}.yaml with it")
