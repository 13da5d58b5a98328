"""`./portal images`: what is built here, what is pulled, and by which digest."""

import sys
from typing import Annotated

import typer

from automation import images
from automation.commands import show
from automation.engine.image_contract import ContractBroken, Report
from automation.errors import NotConfirmed
from automation.images.progress import building
from automation.portals import image_supply
from config.reading.words import count_of
from toolchain.table import Table, number, print_table, prose

app = typer.Typer(help="Container images: build, list, prune, check, pin.", no_args_is_help=True)


@app.command("build", epilog="Example: ./portal images build mysql redis")
def images_build(
    roles: Annotated[
        list[str] | None, typer.Argument(metavar="[ROLE]...", help="Roles to build. Default: all.")
    ] = None,
    as_json: show.Json = False,
) -> None:
    """Build the images that the engine does not have yet."""
    with building() as progress:
        references = images.build(roles or None, on_event=progress)
    if as_json:
        show.show({"images": references})


@app.command("list", epilog="Example: ./portal images list --json")
def images_list(as_json: show.Json = False) -> None:
    """List each image's reference and whether the engine has it."""
    rows = images.list_images()
    if as_json:
        show.show({"images": [row.facts() for row in rows]})
        return
    table = Table("role", "reference", "there", number("MB"))
    for row in rows:
        table.add_row(row.role, row.reference, row.present, row.megabytes)
    print_table(table, f"{count_of(len(rows), 'image')}, {sum(row.present for row in rows)} there")


@app.command(
    "prune", epilog="Examples: ./portal images prune --dry-run    ./portal images prune --confirm prune"
)
def images_prune(
    dry_run: show.DryRun = False,
    confirm: Annotated[
        str, typer.Option("--confirm", metavar="prune", help="Confirm without a prompt (for scripts).")
    ] = "",
    docker_host: show.DockerHost = "",
    as_json: show.Json = False,
) -> None:
    """Remove images built here that no tenant file names and no container uses. Containers of other checkouts count, too."""
    unwanted = image_supply.unwanted_images(docker_host)
    if not dry_run and unwanted:
        require_confirmation(unwanted, confirm)
    gone = [] if dry_run else images.prune(unwanted, docker_host=docker_host)
    if as_json:
        show.show({"found": unwanted, "removed": gone})
        return
    table = Table("image", "")
    for each in unwanted:
        table.add_row(each, "" if dry_run or each in gone else "kept: it is in use now")
    print_table(
        table,
        f"{count_of(len(unwanted), 'image')} would be removed"
        if dry_run
        else f"{count_of(len(gone), 'image')} removed",
    )


def require_confirmation(unwanted: list[str], confirm: str) -> None:
    """Ask for the verb. Raises NotConfirmed."""
    if not confirm and sys.stdin.isatty():
        show.tell("\n".join(unwanted))
        confirm = input(f"These {len(unwanted)} images will be removed. Type prune: ")
    if confirm != "prune":
        raise NotConfirmed(
            "not confirmed: no image was removed; without a prompt: ./portal images prune --confirm prune"
        )


@app.command(
    "check",
    epilog="Examples: ./portal images check registry.acme.example/openedx@sha256:…    "
    "./portal images check acme/openedx:1 --release verawood --json",
)
def images_check(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REFERENCE",
            help="An image. If the engine does not have it, it is pulled from its registry.",
        ),
    ],
    release: Annotated[
        str,
        typer.Option(
            "--release",
            callback=show.not_empty("one of config/releases, for example verawood; or leave it out"),
            help="Release of the portal that will run it. Default: any of config/releases.",
        ),
    ] = "",
    docker_host: show.DockerHost = "",
    as_json: show.Json = False,
) -> None:
    """Say whether an openedx image of your own keeps the contract of docs/images.md. Exit code 12 if it does not."""
    report = image_supply.check_image(reference, release, show.say, docker_host=docker_host)
    if as_json:
        show.show(report.facts())
    else:
        print_checks(report)
    if report.broken:
        raise typer.Exit(ContractBroken.exit_code)


def print_checks(report: Report) -> None:
    """A row for each point, what to do about those that are not kept, and what to write into a tenant file."""
    table = Table("point", "kept", prose("found"), prose("expected"))
    for each in report.checks:
        kept = {True: "yes", False: "no", None: "unknown"}[each.ok]
        table.add_row(each.name, kept, each.found, each.expected)
    count = len(report.broken)
    verdict = f"{count_of(count, 'point')} not kept" if count else "keeps the contract"
    print_table(
        table,
        f"{report.reference}: {verdict} ({report.megabytes} MB)",
    )
    for each in report.broken:
        show.tell(f"{each.name}: {each.remedy}")
    if not count and report.digest:
        name = report.reference.partition("@")[0]
        show.tell(f"in a tenant file: openedx: {name}@{report.digest}")
    elif not count:
        show.tell("push it to a registry: a tenant file names it by the digest that it has there")


@app.command("pin", epilog="Example: ./portal images pin redwood")
def images_pin(
    release: Annotated[
        str, typer.Argument(metavar="RELEASE", help="A release of config/releases, or all.")
    ] = "all",
    as_json: show.Json = False,
) -> None:
    """Write the current digests of a release's public images to config/pins.yml."""
    try:
        path = image_supply.pin(release, show.say)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        show.show({"release": release, "file": str(path)})
    else:
        show.tell(f"written: {path}; review it with `git diff` and a preview of each tenant")
