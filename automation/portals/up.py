"""`up`: bring a portal to what its file says. Looks at what is to be done, does it, and tells what came out otherwise."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from typing import TYPE_CHECKING, Any

from automation.drive import data_locations, quota, sentinel
from automation.engine import inventory, job_progress, process_limits
from automation.errors import Cancelled, FileChanged, NotHealthy, Overtaken, PortalError, UpFailed
from automation.locks.stack_lock import Hold, lock_stack
from automation.portals import (
    feasibility,
    image_choice,
    image_supply,
    outputs,
    ownership,
    packet_rules,
    preview,
    status,
    tenant_files,
)
from automation.runs import deviations, drift, engine_check, recovery
from automation.runs.plan import Plan
from automation.stack import Stack
from config.tenant.tenant import Tenant

if TYPE_CHECKING:
    # Loaded where it is used: the Automation API takes half a second that `status` need not wait for.
    from automation.runs import automation_api

Say = Callable[[str], None]

# Beyond what its slowest service may take to start: a host that comes back starts all its portals at once.
HEALTHY_EXTRA_SECONDS = 180.0
# Of two operators at the same moment the second waits for the first, and looks anew at what is left to do.
TRIES = 3


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What a caller has done just now, so that it is not done twice: the images are there; `drive` where it was inspected."""

    drive: sentinel.Inspection | None = None


def up(
    tenant: Tenant,
    say: Say,
    *,
    cancel: threading.Event | None = None,
    unseen: bool = False,
    prepared: Prepared | None = None,
) -> dict[str, Any]:
    """Bring a portal to what its file says and wait until it is healthy; return its facts.

    Builds missing images, mends what an interrupted run left, runs failed gates again, starts what was stopped.
    Looks first at what is to be done, does it, and tells in `deviations` whatever came out otherwise; with `unseen` it
    does not look first, and promises nothing. `cancel`, once set, ends it after what it has begun.
    Raises PortalError and its kinds.
    """
    for left in reversed(range(TRIES)):
        try:
            return attempt_up(tenant, say, cancel, unseen=unseen, prepared=prepared)
        except (Overtaken, FileChanged) as error:
            if not left:
                raise
            say(f"{error}; previewing again")
            tenant, prepared = tenant_files.load(tenant.name), None
    raise AssertionError("unreachable")


def attempt_up(
    tenant: Tenant,
    say: Say,
    cancel: threading.Event | None,
    *,
    unseen: bool,
    prepared: Prepared | None = None,
) -> dict[str, Any]:
    """One attempt of `up`. Raises Overtaken and FileChanged when somebody else was faster."""
    from automation.runs import automation_api

    if prepared is None:
        image_supply.prepare_images(tenant, say)
    ownership.ensure_backend_name()
    with inventory.connect(tenant.placement.docker_host) as client:
        with lock_stack(Stack(name=tenant.name), "up", say, cancel=cancel) as hold:
            hold.stack.ensure()
            fit = recovery.recover(hold, client, say)
            gone = drift.missing(fit.state, *inventory.objects(client, tenant.name))
            if gone:
                say(f"missing or not running: {', '.join(gone)}; refreshing from the engine first")
            before = data_locations.location_in_state(fit.state)
            if not before and (left := preview.former_directory(hold.stack, tenant)):
                say(f"the data of {tenant.name} stays in {left}; {tenant.directory} is a new, empty place")
            known = data_locations.recorded_locations(hold.stack)
            inspection = (
                prepared.drive if prepared and prepared.drive else sentinel.inspect_tenant(client, tenant)
            )
            here, share = sentinel.judge(tenant, inspection, known), quota.parse_share(inspection.output)
            if lacking := packet_rules.ensure(tenant):
                say(f"{tenant.name}: {lacking}")
            # What a run of plain pulumi has made; below, what this one makes.
            process_limits.apply_limits(client, inventory.containers(client, tenant.name))
            with automation_api.locked_runs(
                hold, say, on_progress=lambda progress: say(str(progress)), cancel=cancel
            ) as run:
                replace = [*recovery.failed_gates(fit.state), *fit.stopping]
                plan = None if unseen else run.preview(refresh=bool(gone), replace=replace)
                require_unchanged_file(tenant)
                share = quota.count_files(client, tenant, share, say, cancel)
                plan = require_feasible(client, tenant, plan, fit.state, say, share)
                # Room that what starts may need is given before it starts, and taken when it has: a first limit on many
                # files takes its time, which nothing that starts waits for.
                wider = quota.raises_limit(share, tenant.storage.quota_mib)
                why = quota.set_limit(client, tenant, share, say, cancel) if wider else ""
                with job_progress.reported(tenant, say):
                    applied = apply(run, hold, client, say, plan, refresh=bool(gone), replace=replace)
            recovery.forget_unanswered(hold)
            require_unchanged_file(tenant)
            process_limits.apply_limits(client, inventory.containers(client, tenant.name))
            # By now the state says it, too; until the tag is there, a destroy would be the last that knew.
            if before and not before.same_as(here):
                data_locations.record(hold.stack, before)
            data_locations.record(hold.stack, here)
            if not wider:
                why = limit_what_runs(client, tenant, share, say, cancel)
            facts = outputs.facts(tenant)
        limit = tenant.start_seconds + HEALTHY_EXTRA_SECONDS
        late = inventory.wait_healthy(client, tenant, limit, cancel)
        if late:
            raise NotHealthy(
                f"portal {tenant.name}: waited {limit:.0f} s for "
                + ", ".join(f"{each.service} ({each.health or each.state})" for each in late)
                + f"; see `docker logs {late[0].name or tenant.name}`"
            )
        # An `up` that has nothing to do is quick, and takes no space.
        space = status.drive_usage(client, tenant) if applied["changes"] else None
    if space and why:
        space["quota_why"] = why
    if why := why or (space or {}).get("quota_why", ""):
        say(f"{tenant.name}: storage/quota is watched, not enforced: {why}")
    for each in space["warnings"] if space else ():
        say(f"{tenant.name}: {each}")
    return {**facts, **applied, "openedx": image_choice.openedx_facts(tenant), "drive": space}


def limit_what_runs(
    client: Any, tenant: Tenant, share: quota.Share, say: Say, cancel: threading.Event | None
) -> str:
    """Set the limit of a portal that runs by now; why that could not be done, empty where it was. Raises Cancelled."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    if quota.next_step(share, tenant.storage.quota_mib) is quota.Step.NONE:
        return ""
    try:
        # A portal that was new has a directory by now.
        share = share if share.own else sentinel.read_share(client, tenant.storage.root, tenant.name)
        return quota.set_limit(client, tenant, share, say, cancel)
    except Cancelled:
        raise
    except (PortalError, DockerException, RequestException) as error:
        # An `up` that has succeeded does not hang on this.
        return str(error)


def require_feasible(
    client: Any,
    tenant: Tenant,
    plan: Plan | None,
    state: dict[str, Any],
    say: Say,
    share: quota.Share | None = None,
) -> Plan | None:
    """The plan, once its engine is known to have room for it; what is worth knowing is said. Raises Impossible, Overtaken.

    Without a plan all that the tenant's file asks for is looked at. Raises Impossible, and Overtaken.
    """
    try:
        if plan is None:
            feasibility.check_tenant(client, tenant, state, share)
            return None
        plan = feasibility.check(client, plan, tenant, share)
    except feasibility.Impossible:
        # What stands in the way may be what another run of the same portal has made since.
        if Stack(name=tenant.name).state() == state:
            raise
        raise Overtaken(
            f"portal {tenant.name} is being changed by another run, which has created something of it meanwhile"
        ) from None
    for each in plan.notes:
        say(f"{tenant.name}: {each}")
    return plan


def require_unchanged_file(tenant: Tenant) -> None:
    """Raises FileChanged when the tenant's file says something else by now: the program reads it in every run."""
    if tenant_files.load(tenant.name) != tenant:
        raise FileChanged(f"tenants/{tenant.name}.yaml was changed while it was being applied")


def apply(
    run: "automation_api.Runs",
    hold: Hold,
    client: Any,
    say: Say,
    plan: Plan | None,
    *,
    refresh: bool,
    replace: list[str],
) -> dict[str, Any]:
    """Do what a preview has told, if it told of anything; what was done, and what came out otherwise.

    Raises UpFailed with the engine's reasons and what of the plan was not done.
    """
    if plan is not None:
        say(f"{run.tenant}: {plan.summary}")
        if plan.empty and not refresh:
            return {"changes": [], "deviations": []}
    before = recovery.snapshot(client, run.tenant)
    happened = run.up(refresh=refresh, replace=replace)
    differences = deviations.compare(plan, happened.changes, happened.failed) if plan else ()
    if happened.reason:
        had = tuple(identity for identity, _ in before)
        recovery.remove_unrecorded(
            client, hold, [replace_fields(each, before=had) for each in happened.unanswered], say
        )
        undone = [str(each) for each in differences if each.kind == "not-done"]
        left = f"\n{len(undone)} planned changes were not made" if undone else ""
        raise UpFailed(happened.reason + left)
    differences += engine_check.compare(client, happened.changes)
    for each in differences:
        say(f"{run.tenant}: deviation from the plan: {each}")
    return {
        "changes": [each.facts() for each in happened.changes],
        "deviations": [each.facts() for each in differences],
    }
