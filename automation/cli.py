"""The `portal` command: words in, one library call, words or one JSON object out."""

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from automation import checks, drive, engine, portals
from automation.errors import NotConfirmed, PortalError
from automation.images import BuildError, build, listing
from automation.progress import building
from config.errors import ConfigError
from config.images import ImageError
from config.tenant import Tenant, names

EPILOG = (
    "Also: ./portal setup (puts engine, CLI and plugins on this machine), "
    'eval "$(./portal env)" (for the plain pulumi command), ./portal engine start|stop|status.  '
    "Exit codes: 0 done, 1 failed, 2 wrong words or a wrong tenant file, 3 not confirmed, 4 locked by another run, "
    "5 no engine, 6 not healthy in time, 7 the drive is not mounted."
)
# Exit code 2 is what Typer gives for words that it does not know; a tenant file is words, too.
BAD_WORDS = 2
INTERRUPTED = 130

app = typer.Typer(
    help="Private Open edX portals as code.", epilog=EPILOG, no_args_is_help=True, add_completion=False
)
images_app = typer.Typer(help="The images built here.", no_args_is_help=True)
drive_app = typer.Typer(help="The drive that the hosts share.", no_args_is_help=True)
app.add_typer(images_app, name="images")
app.add_typer(drive_app, name="drive")

TenantName = Annotated[str, typer.Argument(metavar="TENANT", help="A file of tenants/, without .yaml.")]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output; progress on standard error.")
]


def say(text: str) -> None:
    """A line of progress, on standard error so that standard output stays for facts."""
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


@app.command(epilog="Example: ./portal demo --json")
def demo(as_json: Json = False) -> None:
    """Bring up the demo portal on this machine and print its addresses and first log-in."""
    told = portals.demo(say, quiet=as_json)
    print_facts(told, as_json)


@app.command(epilog="Example: ./portal up acme")
def up(tenant: TenantName, as_json: Json = False) -> None:
    """Bring a portal to what its tenant file says, and wait until it is healthy."""
    told = portals.up(portals.load(tenant), say, quiet=as_json)
    print_facts(told, as_json)


@app.command(epilog="Example: ./portal preview acme --json")
def preview(
    tenant: TenantName,
    as_json: Json = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Look at what the engine really has first.")
    ] = False,
) -> None:
    """Show what `up` would change, and change nothing."""
    print_changes(portals.preview(portals.load(tenant), refresh=refresh), tenant, as_json)


@app.command(epilog="Examples: ./portal destroy acme --dry-run    ./portal destroy acme --confirm acme")
def destroy(
    tenant: TenantName,
    as_json: Json = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would go, and remove nothing.")
    ] = False,
    confirm: Annotated[
        str, typer.Option("--confirm", metavar="TENANT", help="The tenant's name, for scripts.")
    ] = "",
) -> None:
    """Remove a portal's containers, networks and volumes. Its data stays on the drive."""
    wanted = portals.load(tenant)
    if dry_run:
        print_changes(portals.destroys(wanted), tenant, as_json)
        return
    if not confirm and sys.stdin.isatty():
        confirm = input(f"Containers and networks of {tenant} go, its data stays. Type the tenant's name: ")
    if confirm != tenant:
        raise NotConfirmed(
            f"not confirmed: nothing was removed; for scripts: ./portal destroy {tenant} --confirm {tenant}"
        )
    directory = portals.destroy(wanted, say, quiet=as_json)
    if as_json:
        show({"tenant": tenant, "destroyed": True, "directory": directory})
    else:
        print(f"{tenant} is gone; its data stays in {directory}")


@app.command(epilog="Example: ./portal status acme --json")
def status(tenant: TenantName, as_json: Json = False) -> None:
    """Show every service of a portal, its state and its health. Exit code 6 when one is not up."""
    told = portals.status(portals.load(tenant))
    if as_json:
        show(told)
    else:
        rows = table("service", "container", "state", "health")
        for service, row in told["services"].items():
            rows.add_row(service, row["container"], row["state"], row["health"] or "")
        Console().print(rows)
    if not told["healthy"]:
        raise typer.Exit(6)


@images_app.command("build", epilog="Example: ./portal images build mysql redis")
def images_build(
    roles: Annotated[
        list[str] | None, typer.Argument(metavar="[ROLE]...", help="All when none is named.")
    ] = None,
) -> None:
    """Build the images that this machine's engine does not have."""
    with building() as progress:
        build(roles or None, on_event=progress)


@images_app.command("list", epilog="Example: ./portal images list --json")
def images_list(as_json: Json = False) -> None:
    """Show each image's reference, and whether the engine has it."""
    found = listing()
    if as_json:
        show([row.facts() for row in found])
        return
    rows = table("role", "reference", "there", "MB")
    for row in found:
        rows.add_row(row.role, row.reference, "yes" if row.present else "no", str(row.megabytes or ""))
    Console().print(rows)


@images_app.command("pin", epilog="Example: ./portal images pin redwood")
def images_pin(
    release: Annotated[
        str, typer.Argument(metavar="RELEASE", help="One of config/releases, or all.")
    ] = "all",
    as_json: Json = False,
) -> None:
    """Write what the tags of a release's public images point at now into config/pins.yml."""
    try:
        path = portals.pin(release, say)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        show({"release": release, "file": str(path)})
    else:
        print(f"written: {path}; what it changes is in `git diff` and in each tenant's preview")


@drive_app.command("init", epilog="Example: ./portal drive init /srv/portals")
def drive_init(
    root: Annotated[str, typer.Argument(help="Where the drive is mounted on the engine's host.")],
    docker_host: Annotated[str, typer.Option(help="The engine, when it is not the shell's own.")] = "",
) -> None:
    """Mark a mounted drive as the portals' own, once. Nothing starts on a drive without the mark."""
    with engine.connect(docker_host) as client:
        with building() as progress:
            build(["ops"], docker_host=docker_host, on_event=progress)
        if not drive.init(client, root, say):
            say(f"{root} is marked already")


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def test(context: typer.Context) -> None:
    """Run ruff, mypy and every test; words after it go to pytest, for example `./portal test -k tenant`."""
    raise typer.Exit(checks.test(context.args, say))


@app.command()
def lint() -> None:
    """Run ruff and mypy."""
    raise typer.Exit(checks.lint(say))


@app.command("tenants")
def tenants(as_json: Json = False) -> None:
    """Check every tenant file and list them. Exit code 2 when one is wrong."""
    good: list[Tenant] = []
    findings: list[str] = []
    for name in names(portals.TENANTS):
        try:
            good.append(portals.load(name))
        except ConfigError as error:
            findings.extend(error.findings)
    if as_json:
        show([{"tenant": each.name, "title": each.title, "release": each.release.name} for each in good])
    else:
        rows = table("tenant", "title", "release", "lms", "directory")
        for each in good:
            rows.add_row(each.name, each.title, each.release.name, each.hosts.lms, each.directory)
        Console().print(rows)
    if findings:
        raise ConfigError(*dict.fromkeys(findings))


def print_facts(told: dict[str, Any], as_json: bool) -> None:
    """What an operator wants to know of a portal that has come up."""
    if as_json:
        show(told)
        return
    rows = table(told["tenant"], "")
    for service, url in told["addresses"].items():
        rows.add_row(service, url)
    rows.add_row("log in as", told["admin"]["email"])
    rows.add_row("password in", told["admin"]["password_file"])
    rows.add_row("data in", told["directory"])
    if "seconds" in told:
        rows.add_row("seconds", str(told["seconds"]))
    Console().print(rows)


def print_changes(found: list[portals.Change], tenant: str, as_json: bool) -> None:
    """Changes, one a line."""
    if as_json:
        show({"tenant": tenant, "changes": portals.as_json(found)})
        return
    if not found:
        print(f"{tenant}: nothing would change")
        return
    rows = table("op", "type", "name", "properties")
    for each in found:
        rows.add_row(each.op, each.type, each.name, ", ".join(each.properties))
    Console().print(rows)


def main() -> int:
    """Run the command; errors of ours become one clear text and an exit code, never a traceback."""
    try:
        # Typer ends by SystemExit with its own codes: 0, 2 for wrong words, 130 when interrupted at a prompt.
        app(prog_name="portal")
    except KeyboardInterrupt:
        say("stopped; the same command goes on from here")
        return INTERRUPTED
    except ConfigError as error:
        say(str(error))
        return BAD_WORDS
    except PortalError as error:
        say(f"error: {error}")
        return error.exit_code
    except (BuildError, ImageError) as error:
        say(f"error: {error}")
        return 1
    return 0
