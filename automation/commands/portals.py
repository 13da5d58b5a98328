"""`./portal up`, `destroy`, `status`, `tenants`, `demo`: one portal, some, or all."""

import sys
from datetime import date
from typing import Annotated, Any

import typer

from automation.cancellation import Cancel
from automation.commands import show
from automation.commands.show import Json, TenantName
from automation.drive import usage
from automation.engine import process_limits
from automation.errors import NotConfirmed
from automation.fleet import outcome, worker_pool
from automation.fleet.outcome import Outcome
from automation.portals import demo as portal_demo
from automation.portals import destroy as portal_destroy
from automation.portals import image_supply, tenant_files
from automation.portals import status as portal_status
from automation.portals import up as portal_up
from automation.portals.onboarding_request import options
from automation.runs.plan import Plan
from config.reading.errors import ConfigError
from config.reading.words import count_of
from config.releases import support
from config.tenant.tenant import Tenant, load_valid, names
from toolchain.parts import host_rules
from toolchain.table import Table, number, print_table, prose

app = typer.Typer()
TenantNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="TENANT...", help="Tenant names: files of tenants/ without .yaml."),
]
All = Annotated[bool, typer.Option("--all", help="All tenants of tenants/.")]
RELEASE, IMAGES = options()["release"], options()["images"]
ONLY_A_NEW_DEMO = "An existing demo keeps its own."
Workers = Annotated[
    int,
    typer.Option(
        "--parallel",
        min=0,
        max=64,
        help="Number of tenants at a time. 0: one per processor.",
    ),
]


@app.command(epilog="Examples: ./portal demo    ./portal demo --images packages    ./portal demo --json")
def demo(
    release: Annotated[
        str,
        typer.Option(
            "--release", callback=show.not_empty(RELEASE.expected), help=f"{RELEASE.help} {ONLY_A_NEW_DEMO}"
        ),
    ] = "",
    images: Annotated[
        str,
        typer.Option(
            "--images", callback=show.not_empty(IMAGES.expected), help=f"{IMAGES.help} {ONLY_A_NEW_DEMO}"
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Bring up the demo portal on this machine. Print its addresses, first log-in, and which Open edX it runs."""
    facts = portal_demo.demo(show.say, release=release, images=images)
    print_facts(facts, as_json)
    if not as_json:
        print_openedx(facts)


@app.command(
    epilog="Examples: ./portal up acme    ./portal up acme oak --json    ./portal up --all --parallel 4"
)
def up(
    tenants: TenantNames = None,
    every: All = False,
    workers: Workers = 0,
    as_json: Json = False,
    unseen: Annotated[
        bool,
        typer.Option("--skip-preview", help="Skip the preview. The result is not verified against it."),
    ] = False,
) -> None:
    """Bring portals to the state of their tenant files. Wait until they are healthy. Report deviations from the plan."""
    names = chosen_tenants(tenants, every)
    if len(names) > 1 or every:
        image_supply.build_images(filter(None, map(load_or_none, names)), show.say)
        run_for_each_tenant("up", names, workers, as_json, unseen=unseen)
        return
    facts = portal_up.up(tenant_files.load(names[0]), show.say, unseen=unseen)
    print_facts(facts, as_json)
    if not as_json:
        print_openedx(facts)


@app.command(
    epilog="Examples: ./portal destroy acme --dry-run    ./portal destroy acme --confirm acme    "
    "./portal destroy acme oak --confirm acme,oak"
)
def destroy(
    tenants: TenantNames = None,
    every: All = False,
    workers: Workers = 0,
    as_json: Json = False,
    dry_run: show.DryRun = False,
    confirm: Annotated[
        str,
        typer.Option(
            "--confirm",
            metavar="TENANT,...",
            help="Confirm with the tenants' names, without a prompt (for scripts).",
        ),
    ] = "",
) -> None:
    """Remove the containers, networks and volumes of portals. Their data stays on the drive."""
    names = chosen_tenants(tenants, every)
    loaded = [tenant_files.load(each) for each in names]
    if dry_run:
        plans = []
        for each in loaded:
            show.say(f"{each.name}: previewing the removal")
            plans.append(portal_destroy.destroy_plan(each))
        print_removals(plans, as_json, several=len(names) > 1 or every)
        if not as_json:
            show.tell("the data on the drive stays: ./portal up uses it again, ./portal purge deletes it")
        return
    require_confirmation(names, confirm)
    if len(names) > 1 or every:
        run_for_each_tenant("destroy", names, workers, as_json)
        return
    directory = portal_destroy.destroy(loaded[0], show.say)
    if as_json:
        show.show({"tenant": names[0], "destroyed": True, "directory": directory})
    else:
        show.tell(f"{names[0]} is destroyed; its data stays in {directory}")


@app.command(epilog="Example: ./portal status acme --json")
def status(tenant: TenantName, as_json: Json = False) -> None:
    """Show the state and health of a portal's services, and the free space of its drive. Exit code 6 if a service is not up or not healthy."""
    facts = portal_status.status(tenant_files.load(tenant))
    if as_json:
        show.show(facts)
    else:
        print_services(facts)
        if lacking := host_rules.warning(facts["host_rules"]):
            show.say(lacking)
        if lacking := process_limits.warning(tenant, facts["without_process_limit"]):
            show.say(lacking)
        space = facts["drive"]
        show.tell(
            usage.summary_line(space) if "unknown" not in space else f"drive: unknown: {space['unknown']}"
        )
        for each in space["warnings"]:
            show.say(each)
    if not facts["healthy"]:
        raise typer.Exit(6)


@app.command("tenants", epilog="Example: ./portal tenants --json")
def tenants(as_json: Json = False) -> None:
    """Check all tenant files and list the tenants. Exit code 2 if a file is invalid."""
    loaded, findings = load_valid(tenant_files.TENANTS)
    good = list(loaded.values())
    if as_json:
        show.show(
            {
                "tenants": {
                    each.name: {
                        "title": each.title,
                        "release": each.release.name,
                        "support_ends": each.release.support_ends.isoformat(),
                        "supported": not support.Support(release=each.release, today=date.today()).has_ended,
                        "images": each.images,
                        "lms": each.hosts.lms,
                        "directory": each.directory,
                    }
                    for each in good
                },
                "findings": list(findings),
            }
        )
    else:
        table = Table("tenant", prose("title"), "release", prose("support"), "images", "lms", "directory")
        for each in good:
            state_of_support = str(support.Support(release=each.release, today=date.today()))
            table.add_row(
                each.name,
                each.title,
                each.release.name,
                state_of_support,
                each.images,
                each.hosts.lms,
                each.directory,
            )
        print_table(table, count_of(len(good), "tenant"))
    if findings:
        raise ConfigError(*findings)


def chosen_tenants(tenants: list[str] | None, every: bool) -> list[str]:
    """The tenants that a command is for. Raises typer.BadParameter when it is for none."""
    if tenants and every:
        raise typer.BadParameter("name tenants or pass --all, not both")
    if not tenants and not every:
        raise typer.BadParameter("name the tenants, or pass --all")
    chosen = names(tenant_files.TENANTS) if every else list(dict.fromkeys(tenants or ()))
    if not chosen:
        raise typer.BadParameter(f"{tenant_files.TENANTS} has no tenant")
    return chosen


def load_or_none(name: str) -> Tenant | None:
    """A tenant, None where its file is wrong: that is told as its own outcome, and keeps no other back."""
    try:
        return tenant_files.load(name)
    except ConfigError:
        return None


def require_confirmation(tenants: list[str], confirm: str) -> None:
    """Ask for the names of what goes. Raises NotConfirmed."""
    expected = ",".join(tenants)
    if not confirm and sys.stdin.isatty():
        confirm = input(
            f"The containers, networks and volumes of {expected} will be removed; the data stays. Type {expected}: "
        )
    if confirm != expected:
        raise NotConfirmed(
            f"not confirmed: nothing was removed; without a prompt: ./portal destroy {' '.join(tenants)} "
            f"--confirm {expected}"
        )


def run_for_each_tenant(verb: str, tenants: list[str], workers: int, as_json: bool, **options: Any) -> None:
    """A verb on many tenants; exits with the code that their failures share, else 1."""

    def report(outcome: Outcome) -> None:
        how = "done" if outcome.ok else f"failed: {outcome.reason}"
        show.say_of(outcome.tenant, f"{verb} {how} ({outcome.seconds:.1f} s)")

    outcomes = worker_pool.for_each_tenant(
        verb, tenants, workers=workers, say=show.say, on_outcome=report, cancel=Cancel(), **options
    )
    if as_json:
        show.show({"tenants": {each.tenant: each.as_json() for each in outcomes}})
    else:
        table = Table("tenant", verb, number("seconds"), prose(""))
        for each in outcomes:
            what = each.plan.summary if each.plan else each.reason
            table.add_row(each.tenant, "done" if each.ok else "failed", each.seconds, what)
        failed = sum(not each.ok for each in outcomes)
        print_table(
            table, f"{count_of(len(outcomes), 'portal')}: {len(outcomes) - failed} done, {failed} failed"
        )
    if code := outcome.exit_code(outcomes):
        raise typer.Exit(code)


def print_facts(facts: dict[str, Any], as_json: bool) -> None:
    """What an operator wants to know of a portal that has come up."""
    if as_json:
        show.show(facts)
        return
    table = Table(facts["tenant"], prose(""))
    for service, url in facts["addresses"].items():
        table.add_row(service, url)
    table.add_row("log in as", facts["admin"]["email"])
    table.add_row("password in", facts["admin"]["password_file"])
    table.add_row("data in", facts["directory"])
    if "seconds" in facts:
        table.add_row("seconds", facts["seconds"])
    print_table(table)


def print_openedx(facts: dict[str, Any]) -> None:
    """The last line: which Open edX a portal runs, or why none."""
    show.tell(facts["openedx"]["notice"])


def print_removals(plans: list[Plan], as_json: bool, *, several: bool) -> None:
    """What would go of each, as one JSON object; of `several` tenants by their names, as `for_each_tenant` tells."""
    if not as_json:
        print_changes(plans)
        return
    changes = {each.tenant: [change.facts() for change in each.changes] for each in plans}
    if several:
        show.show({"tenants": {name: {"changes": these} for name, these in changes.items()}})
        return
    ((name, these),) = changes.items()
    show.show({"tenant": name, "changes": these})


def print_changes(plans: list[Plan]) -> None:
    """What would change of each, a line a change, below the sum of each."""
    for each in plans:
        show.tell(f"{each.tenant}: {each.summary}")
    table = Table("tenant", "op", "type", "name", prose("properties"), grouped=True)
    for plan in plans:
        for change in plan.changes:
            table.add_row(plan.tenant, change.op, change.type, change.name, change.properties)
    print_table(table)


def print_services(facts: dict[str, Any]) -> None:
    """A portal's services and jobs, a line each, below how many are up."""
    table = Table("service", "container", "state", "health")
    for service, row in facts["services"].items():
        ended = "" if row["exit_code"] is None else f" ({row['exit_code']})"
        table.add_row(service, row["container"], f"{row['state']}{ended}", row["health"])
    up = sum(
        row["state"] == "running" and row["health"] in (None, "healthy") for row in facts["services"].values()
    )
    done = sum(row["exit_code"] == 0 for row in facts["services"].values())
    total = f"{facts['tenant']}: {up} of {count_of(len(facts['services']) - done, 'service')} up"
    print_table(table, total + (f", {count_of(done, 'job')} done" if done else ""))
