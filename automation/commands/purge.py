"""`./portal purge` and `./portal orphans`: what is left of tenants, and its removal."""

import sys
from typing import Annotated

import typer

from automation import images
from automation.commands import show
from automation.errors import NotConfirmed
from automation.images.progress import building
from automation.portals import orphans, ownership, purge
from automation.portals.purge import Trace
from config.reading.words import count_of
from toolchain.table import Table, print_table, prose

app = typer.Typer()


@app.command("purge", epilog="Examples: ./portal purge acme --dry-run    ./portal purge acme --confirm acme")
def purge_command(
    tenant: show.TenantName,
    dry_run: show.DryRun = False,
    confirm: Annotated[
        str,
        typer.Option(
            "--confirm",
            metavar="TENANT",
            help="Confirm with the tenant's name, without a prompt (for scripts).",
        ),
    ] = "",
    root: Annotated[
        str,
        typer.Option(
            "--root",
            callback=show.not_empty("a path, for example /srv/portals; or leave it out"),
            help="One more drive to search, for a tenant that has no file and no stack any more.",
        ),
    ] = "",
    docker_host: Annotated[
        str,
        typer.Option(
            "--docker-host",
            callback=show.not_empty("an engine's address, for example ssh://ops@host-1; or leave it out"),
            help="One more engine to search.",
        ),
    ] = "",
    owner: Annotated[
        str,
        typer.Option(help="The owner that `orphans` shows, for a portal that this state does not know."),
    ] = "",
    gone: Annotated[
        list[str] | None,
        typer.Option("--gone", help="A drive's root or an engine that no longer exists. It is not searched."),
    ] = None,
    as_json: show.Json = False,
) -> None:
    """Delete a destroyed portal with all its data: containers, volumes, directories, secrets, its tenant file.

    Searches every drive and engine where its data has been.
    """
    scope = purge.search_scope(tenant, root=root, docker_host=docker_host, gone=tuple(gone or ()))
    for host in purge.engines(scope):
        with building(present=False) as progress:
            images.build(["ops"], docker_host=host, on_event=progress)
    remains = purge.trace(tenant, scope)
    if dry_run or remains.empty:
        print_trace(remains, as_json, purged=False, running=purge.count_running(tenant, scope))
        return
    ownership.require_ownership(tenant, remains.owner, owner)
    purge.refuse_running(tenant, scope)
    if not confirm and sys.stdin.isatty():
        print_trace(remains, as_json=False, purged=False)
        confirm = input(
            f"All of this will be deleted for good, including {tenant}'s data. Type the tenant's name: "
        )
    if confirm != tenant:
        raise NotConfirmed(
            f"not confirmed: nothing was removed; without a prompt: ./portal purge {tenant} --confirm {tenant}"
        )
    purge.purge(remains, scope, show.say)
    purge.require_nothing_left(tenant, scope)
    print_trace(remains, as_json, purged=True)


def print_trace(remains: Trace, as_json: bool, *, purged: bool, running: int = 0) -> None:
    """What there is, or was, of a tenant; `running` of its containers keep a purge from beginning."""
    searched = f"drives searched: {', '.join(remains.drives)}"
    unseen = f"; NOT searched (--gone): {', '.join(remains.unseen)}" if remains.unseen else ""
    if as_json:
        show.show({**remains.facts(), "purged": purged, "running": running})
    elif remains.empty:
        show.tell(f"nothing is left of {remains.tenant} ({searched}{unseen})")
    elif purged:
        show.tell(
            f"nothing is left of {remains.tenant} ({searched}{unseen}); commit the removal of its files"
        )
    else:
        table = Table(remains.tenant, prose(""))
        several = len({host for kind in (remains.containers, remains.directories) for host, _ in kind}) > 1
        for kind in ("containers", "networks", "volumes"):
            for host, name in getattr(remains, kind):
                table.add_row(kind.removesuffix("s"), f"{name} on {host}" if several else name)
        for name in remains.files:
            table.add_row("file", name)
        for host, name in remains.directories:
            table.add_row("data", f"{name} on {host}" if several else name)
        if remains.stack:
            table.add_row("stack", "state, history and secrets")
        table.add_row("belongs to", str(remains.owner))
        print_table(table, f"{remains.tenant}: {summary(remains)}")
        if remains.unseen:
            show.tell(unseen.removeprefix("; "))
        if running:
            show.tell(
                f"{running} containers are running; destroy the portal before you purge it: "
                f"./portal destroy {remains.tenant} --confirm {remains.tenant}"
            )


def summary(remains: Trace) -> str:
    """What there is of a tenant, in a few words."""
    kinds = {
        "container": remains.containers,
        "network": remains.networks,
        "volume": remains.volumes,
        "directory": remains.directories,
        "file": remains.files,
    }
    counts = [count_of(len(these), kind) for kind, these in kinds.items() if these]
    return ", ".join([*counts, *(["1 stack"] if remains.stack else [])])


@app.command("orphans", epilog="Example: ./portal orphans --json")
def orphans_command(as_json: show.Json = False) -> None:
    """List what is left of portals without a tenant file, and its owner. Remove nothing.

    Searches containers, networks, volumes, drives and the state.
    """
    with building(present=False) as progress:
        images.build(["ops"], on_event=progress)
    orphans_found = orphans.find(show.say)
    if as_json:
        show.show({"portals": [each.facts() for each in orphans_found]})
        return
    if not orphans_found:
        show.tell("no orphans: every portal has a tenant file")
        return
    table = Table("portal", "belongs to", prose("what"), prose("way out"), grouped=True)
    for each in orphans_found:
        table.add_row(each.tenant, str(each.owner), each.what, each.remedy)
    names = {each.tenant for each in orphans_found}
    print_table(
        table, f"{orphans.summary(orphans_found)} in {count_of(len(names), 'portal')} without a tenant file"
    )
