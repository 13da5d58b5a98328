"""`destroy`: remove a portal's containers, networks and volumes; and what that would be."""

import threading
from collections.abc import Callable
from typing import Any

from automation.drive import data_locations, sentinel
from automation.engine import inventory
from automation.errors import PortalError, UpFailed
from automation.locks.stack_lock import lock_stack
from automation.runs import recovery
from automation.runs.plan import Plan
from automation.stack import Stack
from config.tenant.tenant import Tenant
from config.values import names as naming

Say = Callable[[str], None]


def destroy(tenant: Tenant, say: Say, *, cancel: threading.Event | None = None) -> str:
    """Remove a portal's containers, networks and volumes; return the directory where its data stays.

    Raises UpFailed with the engine's reasons.
    """
    from automation.runs import automation_api

    stack = Stack(name=tenant.name)
    with (
        inventory.connect(tenant.placement.docker_host) as client,
        lock_stack(stack, "destroy", say, cancel=cancel) as hold,
    ):
        if not stack.exists():
            return tenant.directory
        fit = recovery.recover(hold, client, say)
        # The state forgets it now, and a tenant's file may say something else by then.
        if there := data_locations.location_in_state(fit.state):
            data_locations.record(hold.stack, there)
        with automation_api.locked_runs(
            hold, say, on_progress=lambda progress: say(str(progress)), cancel=cancel
        ) as run:
            happened = run.destroy(fit.state)
        if happened.reason:
            raise UpFailed(happened.reason)
        recovery.forget_unanswered(hold)
        try_remove_limit(client, there.root if there else tenant.storage.root, tenant, say)
    return f"{there.root}/{tenant.name}" if there else tenant.directory


def try_remove_limit(client: Any, root: str, tenant: Tenant, say: Say) -> None:
    """Take a portal's limit off the drive, where it is ours; a drive that is away keeps no destroy from its end."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        sentinel.remove_own_limit(client, root, tenant.name, say)
    except (PortalError, DockerException, RequestException) as error:
        if tenant.storage.quota:
            say(f"a limit on {root}/{tenant.name} may be left there: {error}")


def destroy_plan(tenant: Tenant) -> Plan:
    """What `destroy` would remove; nothing where it was never up."""
    return removal_plan(tenant.name)


def removal_plan(name: str, *, cancel: threading.Event | None = None) -> Plan:
    """What `destroy` would remove of a tenant by its name, for its file may be gone; nothing where it was never up."""
    from automation.runs import automation_api

    try:
        naming.tenant(name)
    except ValueError:
        # It is a file's, which may be any; one that no tenant can have never had a portal, and is no word for the CLI.
        return Plan(tenant=name, changes=())
    if not Stack(name=name).exists():
        return Plan(tenant=name, changes=())
    with automation_api.read_only_runs(name, cancel) as run:
        return run.preview_destroy()
