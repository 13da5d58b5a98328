"""What can be done to a portal: preview, up, destroy, status. The commands are thin shells over these."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automation import images
from automation.drive import data_locations, sentinel, usage
from automation.drive import demo as own
from automation.engine import inventory, process_limits
from automation.errors import FileChanged, NotHealthy, Overtaken, PortalError, UpFailed
from automation.images.progress import building
from automation.locks.file_lock import exclusive
from automation.locks.stack_lock import held
from automation.portals import feasibility, ownership
from automation.runs import deviations, drift, engine_check, recovery
from automation.runs.plan import Plan
from automation.stack import ROOT, Stack
from config.portal import image_sources
from config.reading.errors import ConfigError
from config.releases import pins
from config.releases.release import Releases
from config.tenant.tenant import Tenant, survey
from config.values import names as naming
from toolchain import files
from toolchain.errors import ToolchainError
from toolchain.parts import host_rules
from toolchain.paths import Paths, data_directory

if TYPE_CHECKING:
    # Loaded where it is used: the Automation API takes half a second that `status` need not wait for.
    from automation.runs import automation_api

Say = Callable[[str], None]
TENANTS = ROOT / "tenants"
IMAGES = ROOT / "images"
# The slowest starter needs 12 s alone; a host that comes back starts all its portals at once.
HEALTHY_LIMIT_SECONDS = 300.0
# The first of a portal's containers: it says what the data belongs to.
GATE = "storage-init"
# Of two operators at the same moment the second waits for the first, and looks anew at what is left to do.
TRIES = 3


def load(name: str) -> Tenant:
    """The tenant of that name, its file checked whole. Raises ConfigError."""
    return Tenant.load(name, TENANTS)


def preview(tenant: Tenant, *, refresh: bool = False, cancel: threading.Event | None = None) -> Plan:
    """What `up` would change, without changing or making anything. Raises UpFailed with the engine's reason."""
    from automation.runs import automation_api

    with automation_api.looking(tenant.name, cancel) as run:
        plan = run.preview(refresh=refresh)
    if begins(plan):
        plan = replace(plan, left=left_elsewhere(Stack(name=tenant.name), tenant))
    return feasibility.told(plan, tenant)


def begins(plan: Plan) -> bool:
    """Whether a plan makes a portal of which nothing is there."""
    return any(each.op == "create" and each.name == GATE for each in plan.changes)


def left_elsewhere(stack: Stack, tenant: Tenant) -> str:
    """Where a tenant's data was at the last time, where that is not where its file has it now; else nothing."""
    if stack.files is None and not stack.exists():
        return ""
    latest = next(iter(data_locations.recorded(stack)), None)
    return "" if latest is None or latest.root == tenant.storage.root else f"{latest.root}/{tenant.name}"


def up(
    tenant: Tenant, say: Say, *, cancel: threading.Event | None = None, unseen: bool = False
) -> dict[str, Any]:
    """Bring a portal to what its file says and wait until it is healthy; return its facts.

    Builds missing images, mends what an interrupted run left, runs failed gates again, starts what was stopped.
    Looks first at what is to be done, does it, and tells in `untruths` whatever came out otherwise; with `unseen` it
    does not look first, and promises nothing. `cancel`, once set, ends it after what it has begun.
    Raises PortalError and its kinds.
    """
    for left in reversed(range(TRIES)):
        try:
            return once(tenant, say, cancel, unseen=unseen)
        except (Overtaken, FileChanged) as error:
            if not left:
                raise
            say(f"{error}; looking anew")
            tenant = load(tenant.name)
    raise AssertionError("unreachable")


def once(tenant: Tenant, say: Say, cancel: threading.Event | None, *, unseen: bool) -> dict[str, Any]:
    """One attempt of `up`. Raises Overtaken and FileChanged when somebody else was faster."""
    from automation.runs import automation_api

    prepare_images(tenant, say)
    ownership.ensure()
    with inventory.connect(tenant.placement.docker_host) as client:
        with held(Stack(name=tenant.name), "up", say, cancel=cancel) as hold:
            hold.stack.ensure()
            fit = recovery.recover(hold, client, say)
            gone = drift.missing(fit.state, *inventory.objects(client, tenant.name))
            if gone:
                say(
                    f"not there or not running: {', '.join(gone)}; looking at what the engine really has first"
                )
            before = data_locations.of_state(fit.state)
            if not before and (left := left_elsewhere(hold.stack, tenant)):
                say(f"the data of {tenant.name} is in {left}, and stays there: {tenant.directory} is not it")
            here = sentinel.check(client, tenant, data_locations.recorded(hold.stack))
            if lacking := guarded(tenant):
                say(f"{tenant.name}: {lacking}")
            # What a run of plain pulumi has made; below, what this one makes.
            process_limits.hold(client, inventory.containers(client, tenant.name))
            with automation_api.of(hold, say, on_progress=lambda told: say(str(told)), cancel=cancel) as run:
                replace = [*recovery.failed_gates(fit.state), *fit.stopping]
                plan = None if unseen else run.preview(refresh=bool(gone), replace=replace)
                as_told(tenant)
                plan = could(client, tenant, plan, fit.state, say)
                found = changed(run, client, say, plan, refresh=bool(gone), replace=replace)
            as_told(tenant)
            process_limits.hold(client, inventory.containers(client, tenant.name))
            # By now the state says it, too; until the tag is there, a destroy would be the last that knew.
            if before and not before.is_as(here):
                data_locations.record(hold.stack, before)
            data_locations.record(hold.stack, here)
            told = facts(tenant)
        late = inventory.wait_healthy(client, tenant, HEALTHY_LIMIT_SECONDS, cancel)
        if late:
            raise NotHealthy(
                f"portal {tenant.name}: waited {HEALTHY_LIMIT_SECONDS:.0f} s for "
                + ", ".join(f"{each.service} ({each.health or each.state})" for each in late)
                + f"; look at `docker logs {late[0].name or tenant.name}`"
            )
        # An `up` that has nothing to do is quick, and takes no space.
        space = taken(client, tenant) if found["changes"] else None
    for each in space["warnings"] if space else ():
        say(f"{tenant.name}: {each}")
    return {**told, **found, "drive": space}


def host(tenant: Tenant) -> host_rules.HostRules:
    """The packet rules of the machine that runs a portal, as far as they can be seen from here."""
    chosen = {"DOCKER_HOST": tenant.placement.docker_host} if tenant.placement.docker_host else {}
    env = {**os.environ, **chosen}
    return host_rules.HostRules(env, Paths.of(env))


def guarded(tenant: Tenant) -> str:
    """Put the host's packet rules there where the machine is ours; one line on what is lacking, with the remedy."""
    try:
        return host_rules.said(host(tenant).kept())
    except ToolchainError as error:
        return f"the host's packet rules for portals could not be put there: {error}"


def could(client: Any, tenant: Tenant, plan: Plan | None, state: dict[str, Any], say: Say) -> Plan | None:
    """The plan, once its engine is known to have room for it; what is worth knowing is said. Raises Impossible, Overtaken.

    Without a plan all that the tenant's file asks for is looked at. Raises Impossible, and Overtaken.
    """
    try:
        if plan is None:
            feasibility.check_tenant(client, tenant, state)
            return None
        plan = feasibility.check(client, plan, tenant)
    except feasibility.Impossible:
        # What stands in the way may be what another run of the same portal has made since.
        if Stack(name=tenant.name).state() == state:
            raise
        raise Overtaken(
            f"portal {tenant.name} is being changed by another run, which has made something of it meanwhile"
        ) from None
    for each in plan.notes:
        say(f"{tenant.name}: {each}")
    return plan


def as_told(tenant: Tenant) -> None:
    """Raises FileChanged when the tenant's file says something else by now: the program reads it in every run."""
    if load(tenant.name) != tenant:
        raise FileChanged(f"tenants/{tenant.name}.yaml was changed while its portal was being brought to it")


def changed(
    run: "automation_api.Runs", client: Any, say: Say, plan: Plan | None, *, refresh: bool, replace: list[str]
) -> dict[str, Any]:
    """Do what a preview has told, if it told of anything; what was done, and what came out otherwise.

    Raises UpFailed with the engine's reasons and what of the plan was not done.
    """
    if plan is not None:
        say(f"{run.tenant}: {summary(plan)}")
        if plan.empty and not refresh:
            return {"changes": [], "untruths": []}
    happened = run.up(refresh=refresh, replace=replace)
    untruths = deviations.compare(plan, happened.changes, happened.failed) if plan else ()
    if happened.reason:
        undone = [str(each) for each in untruths if each.kind == "not-done"]
        left = f"\n{len(undone)} promised changes were not reached" if undone else ""
        raise UpFailed(happened.reason + left)
    untruths += engine_check.compare(client, happened.changes)
    for each in untruths:
        say(f"{run.tenant}: other than promised: {each}")
    return {
        "changes": [each.facts() for each in happened.changes],
        "untruths": [each.facts() for each in untruths],
    }


def summary(plan: Plan) -> str:
    """A plan in one line."""
    counts = Counter(each.op for each in plan.changes)
    told = ", ".join(f"{number} to {op}" for op, number in sorted(counts.items()))
    return told or ("only the state's own records change" if plan.bookkeeping else "nothing to change")


def prepare_images(tenant: Tenant, say: Say) -> None:
    """Build or pull the images of the tenant's release that its engine does not have."""
    host = tenant.placement.docker_host
    build_images([tenant], say)
    images.pull(image_sources.pulled(tenant), say, docker_host=host)
    with building() as progress:
        images.derive(image_sources.derived(tenant, IMAGES), docker_host=host, on_event=progress)


def build_images(tenants: Iterable[Tenant], say: Say) -> None:
    """Build what these tenants' engines lack, each image once an engine: workers beside each other would do it twice."""
    roles: dict[str, set[str]] = {}
    for each in tenants:
        roles.setdefault(each.placement.docker_host, set()).update(image_sources.roles(each))
    for host, these in roles.items():
        wanted = images.missing(sorted(these), docker_host=host)
        if wanted:
            say(f"building {len(wanted)} images that are not there yet: {', '.join(wanted)}")
            with building() as progress:
                images.build(wanted, docker_host=host, on_event=progress)


def unwanted_images(docker_host: str = "") -> list[str]:
    """The images built here that neither a tenant's file nor a container has a use for, by reference.

    Raises ConfigError when a tenant's file is wrong: what it wants is not known then.
    """
    found, findings = survey(TENANTS)
    if findings:
        raise ConfigError(*findings)
    spare = {one.reference for each in found.values() for one in image_sources.derived(each, IMAGES)}
    return images.superseded(docker_host=docker_host, spare=spare)


def pin(release: str, say: Say) -> Path:
    """Write the digests of a release's public images (of all with `all`) into config/pins.yml, keeping the others.

    Raises BuildError, and ValueError for a release that there is not.
    """
    path = ROOT / "config" / pins.NAME
    releases = Releases(ROOT / "config" / "releases")
    public = releases.public() if release == "all" else releases.load(release).public()
    digests = images.digests(public, say)
    # Of two at the same moment, neither forgets what the other has found.
    with exclusive(data_directory(os.environ) / "pins.lock", "another `./portal images pin`", say):
        known = {**pins.load(path), **digests}
        # Whole or not at all: a portal is planned from it.
        files.write(path, pins.text({each: known[each] for each in releases.public() if each in known}))
    return path


def facts(tenant: Tenant) -> dict[str, Any]:
    """The stack's outputs, the admin's password moved into a file of its own."""
    told = Stack(name=tenant.name).outputs(secrets=True)
    password = told.pop("admin_password")
    path = password_file(tenant.name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists() or path.read_text() != password:
        fresh = path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(password)
        fresh.replace(path)
    told["admin"] = {**told["admin"], "password_file": str(path)}
    return told


def password_file(tenant: str) -> Path:
    """Where the first log-in's password lies on the operator's machine, mode 0600."""
    return data_directory(os.environ) / "tenants" / tenant / "admin-password"


def destroy(tenant: Tenant, say: Say, *, cancel: threading.Event | None = None) -> str:
    """Remove a portal's containers, networks and volumes; return the directory where its data stays.

    Raises UpFailed with the engine's reasons.
    """
    from automation.runs import automation_api

    stack = Stack(name=tenant.name)
    with (
        inventory.connect(tenant.placement.docker_host) as client,
        held(stack, "destroy", say, cancel=cancel) as hold,
    ):
        if not stack.exists():
            return tenant.directory
        fit = recovery.recover(hold, client, say)
        # The state forgets it now, and a tenant's file may say something else by then.
        if there := data_locations.of_state(fit.state):
            data_locations.record(hold.stack, there)
        with automation_api.of(hold, say, on_progress=lambda told: say(str(told)), cancel=cancel) as run:
            happened = run.destroy(fit.state)
    if happened.reason:
        raise UpFailed(happened.reason)
    return f"{there.root}/{tenant.name}" if there else tenant.directory


def destroys(tenant: Tenant) -> Plan:
    """What `destroy` would remove; nothing where it was never up."""
    return removal(tenant.name)


def removal(name: str, *, cancel: threading.Event | None = None) -> Plan:
    """What `destroy` would remove of a tenant by its name, for its file may be gone; nothing where it was never up."""
    from automation.runs import automation_api

    try:
        naming.tenant(name)
    except ValueError:
        # It is a file's, which may be any; one that no tenant can have never had a portal, and is no word for the CLI.
        return Plan(tenant=name, changes=())
    if not Stack(name=name).exists():
        return Plan(tenant=name, changes=())
    with automation_api.looking(name, cancel) as run:
        return run.preview_destroy()


def status(tenant: Tenant) -> dict[str, Any]:
    """A portal as its engine has it: every service and job with its state and health; and how full its drive is."""
    return seen(tenant)[0]


def seen(tenant: Tenant) -> tuple[dict[str, Any], dict[str, str]]:
    """The same, and with it the exit codes of what has ended, by service."""
    with inventory.connect(tenant.placement.docker_host) as client:
        found = inventory.containers(client, tenant.name)
        unlimited = process_limits.unlimited(client, found)
        space = taken(client, tenant)
    late = inventory.not_up(found, tenant.stays_up)
    told = {
        "tenant": tenant.name,
        "healthy": not late,
        "host_rules": host(tenant).state(),
        "without_process_limit": unlimited,
        "drive": space,
        "services": {
            each.service: {"container": each.name, "state": each.state, "health": each.health or None}
            for each in sorted(
                [*found, *(one for one in late if not one.name)], key=lambda each: each.service
            )
        },
    }
    return told, {each.service: each.exit_code for each in found if each.exit_code}


def taken(client: Any, tenant: Tenant) -> dict[str, Any]:
    """How full the drive is, and what the portal has taken of it; where nobody can say, `unknown` has the reason."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        return usage.facts(usage.look(client, tenant), tenant)
    except (PortalError, DockerException, RequestException) as error:
        # Neither a portal's state nor an `up` that has succeeded hangs on this.
        return {"unknown": str(error), "warnings": []}


def demo(say: Say) -> dict[str, Any]:
    """The first portal on a machine: its own drive, its images, `up`. Raises PortalError and its kinds."""
    start = time.monotonic()
    tenant = load("demo")
    stack = Stack(name=tenant.name)
    if stack.exists():
        own.refuse_moved(
            tenant.storage.root, [each.root for each in data_locations.known(stack, stack.state())]
        )
    prepare_images(tenant, say)
    others = {name: each.storage.root for name, each in survey(TENANTS)[0].items() if name != tenant.name}
    with inventory.connect(tenant.placement.docker_host) as client:
        own.prepare(client, tenant.storage.root, others, say)
    told = up(tenant, say)
    return {**told, "seconds": round(time.monotonic() - start, 1)}
