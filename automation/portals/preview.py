"""`preview`: what `up` would change."""

import threading
from collections.abc import Callable
from dataclasses import replace

from automation.drive import data_locations
from automation.portals import feasibility
from automation.runs.plan import Plan
from automation.stack import Stack
from config.tenant.tenant import Tenant

# The first of a portal's containers: it says what the data belongs to.
GATE_JOB = "storage-init"


def preview(
    tenant: Tenant,
    *,
    refresh: bool = False,
    cancel: threading.Event | None = None,
    say: Callable[[str], None] = lambda message: None,
) -> Plan:
    """What `up` would change, without changing or making anything. Raises UpFailed with the engine's reason."""
    from automation.runs import automation_api

    with automation_api.read_only_runs(tenant.name, cancel) as run:
        plan = run.preview(refresh=refresh)
    if creates_portal(plan):
        plan = replace(plan, left=former_directory(Stack(name=tenant.name), tenant))
    return feasibility.with_obstacles(plan, tenant, say)


def creates_portal(plan: Plan) -> bool:
    """Whether a plan makes a portal of which nothing is there."""
    return any(each.op == "create" and each.name == GATE_JOB for each in plan.changes)


def former_directory(stack: Stack, tenant: Tenant) -> str:
    """Where a tenant's data was at the last time, where that is not where its file has it now; else nothing."""
    if stack.files is None and not stack.exists():
        return ""
    latest = next(iter(data_locations.recorded_locations(stack)), None)
    return "" if latest is None or latest.root == tenant.storage.root else f"{latest.root}/{tenant.name}"
