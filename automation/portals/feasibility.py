"""Whether what a plan asks of its engine is possible there: asked before the first container is touched, and told in a preview."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from ipaddress import IPv4Network
from typing import Any

from automation.drive import capacity, quota, sentinel
from automation.drive.quota import Share
from automation.engine import inventory
from automation.errors import PortalError
from automation.locks.stack_lock import lock_folder
from automation.portals import engine_identity
from automation.portals.engine_identity import Sameness
from automation.review.tenant_review import IMPOSSIBLE
from automation.runs import drift, recovery, unanswered
from automation.runs.plan import Change, Plan
from automation.stack import ROOT, Stack
from config.portal.resource_types import CONTAINER, DOCKER_PROVIDER, NETWORK, VOLUME
from config.releases import support
from config.tenant.tenant import Tenant
from preflight import obstacles as judging
from preflight import tenant as for_tenant
from preflight.obstacles import Obstacle
from preflight.procfs import ANY, ListenAddress
from preflight.requirements import PublishedPort, Requirements, Subnet
from preflight.tenant import gather_facts

Say = Callable[[str], None]
# With less, what writes may not come back: a data store's log of one start. storage-init asks for more (capacity.LEAST_DISK_MIB).
RESTART_MIB = 64
ELSEWHERE = "the engine that answers here has nothing of this portal (set placement/docker_host or DOCKER_HOST to its engine)"
STARTS = ("create", "replace")
ENDS = ("delete", "replace")


class Impossible(PortalError):
    """The engine would refuse a part of what is wanted, after something was stopped for it."""

    exit_code = IMPOSSIBLE


def with_obstacles(plan: Plan, tenant: Tenant, say: Say = lambda message: None) -> Plan:
    """A preview's plan with what stands in its way, as far as its engine can be asked now. Never raises for an engine.

    An engine that does not answer within some seconds is off; one that does is given the time that its containers take.
    """
    plan, others = with_address_change(plan, tenant.name)
    needs = requirements(plan, tenant)
    plan = replace(plan, notes=release_notes(tenant))
    if needs.empty and not tenant.storage.quota:
        return replace(plan, obstacles=others)
    share = None
    try:
        with (
            inventory.connect(tenant.placement.docker_host, first=engine_identity.ANSWER_SECONDS) as client,
            say_when_slow(f"{tenant.name}: asking its engine whether all of it is possible", say),
        ):
            if is_other_engine(client, plan, tenant):
                return replace(plan, obstacles=others, unchecked=ELSEWHERE)
            facts = gather_facts(client, needs, sentinel.ops_image(), tenant.storage.root)
            # Without a quota there may be a limit of before, which is lifted.
            if tenant.storage.quota or plan.unchanged:
                share = drive_share(client, tenant)
    except PortalError as error:
        return replace(plan, obstacles=others, unchecked=str(error))
    if judging.obstacles(needs, facts, tenant.name, images_come=True):
        needs = without_half_made(needs, tenant.name)
    return replace(
        plan,
        obstacles=(
            *others,
            *judging.obstacles(needs, facts, tenant.name, images_come=True),
            *(quota.obstacles(share, tenant, needs.disk) if share else ()),
        ),
        notes=(
            *release_notes(tenant),
            *judging.notes(needs, facts),
            *(quota.notes(share, tenant) if share else ()),
        ),
    )


def release_notes(tenant: Tenant, today: date | None = None) -> tuple[str, ...]:
    """What is to be known of the release that a portal has or is to have: support that has ended, and what it lacks."""
    lacks = tenant.release.lacks if tenant.images == "hub" else ()
    return (
        *support.notes(tenant.release, tenant.releases, today or date.today()),
        *(f"release: {tenant.release.name}: {each}" for each in lacks),
    )


@contextmanager
def say_when_slow(what: str, say: Say) -> Iterator[None]:
    """Says what is being done, where that takes longer than a person waits without wondering."""
    timer = threading.Timer(engine_identity.ANSWER_SECONDS, say, [what])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def drive_share(client: Any, tenant: Tenant) -> Share | None:
    """What the drive says of a tenant's share of it, None where it is away or nobody can look yet: others say that."""
    from docker.errors import ImageNotFound

    try:
        return sentinel.read_share(client, tenant.storage.root, tenant.name)
    except (ImageNotFound, sentinel.DriveMissing):
        return None


def without_half_made(needs: Requirements, tenant: str) -> Requirements:
    """What is wanted once `up` has removed what an interrupted run has half made, or an engine too late: in nobody's way then."""
    try:
        state = Stack(name=tenant).state()
    except PortalError:
        # Never up: nothing of it is half made.
        return needs
    half = {each.name for each in recovery.half_made_resources(recovery.pending_operations(state))}
    half |= {each.name for each in unanswered.read(lock_folder(Stack(name=tenant)))}
    return replace(
        needs,
        leaving_containers=needs.leaving_containers | half,
        leaving_networks=needs.leaving_networks | half,
    )


def is_other_engine(client: Any, plan: Plan, tenant: Tenant) -> bool:
    """Whether the engine that answers is another than the portal's: the shell's own, on a machine that only previews.

    A runner of CI has an engine, too. What that has room for says nothing.
    """
    first = not plan.unchanged and all(each.op == "create" for each in plan.changes)
    if tenant.placement.docker_host or first:
        return False
    known = engine_identity.ids(Stack(name=tenant.name).state())
    return bool(known) and not known & engine_identity.objects(client, tenant.name).objects


def check(client: Any, plan: Plan, tenant: Tenant, share: Share | None = None) -> Plan:
    """The same before an `up`, whose images are there by now. Raises Impossible with all that stands in the way."""
    plan, others = with_address_change(plan, tenant.name)
    needs = requirements(plan, tenant)
    room = tuple(quota.obstacles(share, tenant, needs.disk)) if share else ()
    plan = replace(plan, notes=release_notes(tenant))
    if not others and needs.empty:
        refuse(tenant, room)
        return plan
    facts = gather_facts(client, needs, sentinel.ops_image(), tenant.storage.root)
    refuse(tenant, (*others, *judging.obstacles(needs, facts, tenant.name), *room))
    return replace(plan, notes=(*release_notes(tenant), *judging.notes(needs, facts)))


def refuse(tenant: Tenant, obstacles: Iterable[Obstacle]) -> None:
    """Raises Impossible where there is anything."""
    if lines := [f"tenants/{tenant.name}.yaml: {each}" for each in obstacles]:
        raise Impossible("\n".join([*lines, "nothing was stopped or changed"]))


def check_tenant(client: Any, tenant: Tenant, state: Mapping[str, Any], share: Share | None = None) -> None:
    """The same where nobody has looked at a plan: all that the tenant's file names and the state does not have. Raises Impossible."""
    obstacles = for_tenant.obstacles(tenant, ROOT / "images", drift.resources(state), client)
    refuse(tenant, (*obstacles, *(quota.obstacles(share, tenant, 0) if share else ())))


def with_address_change(plan: Plan, tenant: str) -> tuple[Plan, tuple[Obstacle, ...]]:
    """The plan, a change of the engine's address judged, and what stands in the way of that."""
    words = engine_identity.address_change(plan)
    if words is None:
        return plan, ()
    same, old = engine_identity.compare(
        engine_identity.ids(Stack(name=tenant).state()), *words, engine_identity.objects_at(tenant)
    )
    changes = tuple(
        replace(each, engine=str(same)) if each.type == DOCKER_PROVIDER else each for each in plan.changes
    )
    return replace(plan, changes=changes), tuple(_left_running(same, old, *words))


def _left_running(
    same: Sameness, old: engine_identity.EngineObjects | None, before: str, after: str
) -> Iterator[Obstacle]:
    if same is Sameness.OTHER and old and old.running:
        yield Obstacle(
            key="placement/docker_host",
            what=f"{len(old.running)} containers of the portal run on {before}; a second portal on "
            f"{after} would write to the same files",
            remedy=f"destroy it there first (the data stays), or use that engine: DOCKER_HOST={before}",
        )


def requirements(plan: Plan, tenant: Tenant) -> Requirements:
    """What a plan asks of an engine: all that it creates or replaces."""
    starts = [each for each in plan.changes if each.op in STARTS]
    ends = [each for each in plan.changes if each.op in ENDS]
    containers = [each for each in starts if each.type == CONTAINER]
    new = [each for each in containers if each.op == "create"]
    return Requirements(
        published=tuple(_published_ports(containers)),
        subnets=tuple(_subnets(each for each in starts if each.type == NETWORK)),
        images=frozenset(str(each.after.get("image")) for each in containers if each.after.get("image")),
        new_containers=_names(each for each in new),
        new_networks=_names(each for each in starts if each.type == NETWORK and each.op == "create"),
        leaving_containers=_names((each for each in ends if each.type == CONTAINER), before=True),
        leaving_networks=_names((each for each in ends if each.type == NETWORK), before=True),
        volumes={
            str(each.after.get("name")): driver_options(each.after)
            for each in starts
            if each.type == VOLUME and each.op == "create"
        },
        limits={
            str(each.after.get("name")): int(each.after["memory"])
            for each in plan.changes
            if each.type == CONTAINER and isinstance(each.after.get("memory"), int | float)
        },
        room=sum(_least(each.name, tenant) for each in new),
        disk=_disk(containers),
    )


def _least(service: str, tenant: Tenant) -> int:
    """MiB without which a container does not start; what a job takes is given back before the services start."""
    return tenant.least_memory(service) if service in tenant.stays_up else 0


def _disk(containers: list[Change]) -> int:
    if not any(each.after.get("volumes") for each in containers):
        return 0
    return capacity.LEAST_DISK_MIB if any(each.name == "storage-init" for each in containers) else RESTART_MIB


def _published_ports(containers: Iterable[Change]) -> Iterator[PublishedPort]:
    for each in containers:
        for port in mappings(each.after.get("ports")):
            if isinstance(port.get("external"), int | float) and port.get("protocol", "tcp") == "tcp":
                address = ListenAddress(address=str(port.get("ip") or ANY), port=int(port["external"]))
                yield PublishedPort(container=str(each.after.get("name")), listen=address)


def _subnets(networks: Iterable[Change]) -> Iterator[Subnet]:
    for each in networks:
        for config in mappings(each.after.get("ipamConfigs")):
            text = str(config.get("subnet") or "")
            if text and ":" not in text:
                yield Subnet(network=str(each.after.get("name")), subnet=IPv4Network(text, strict=False))


def _names(changes: Iterable[Change], *, before: bool = False) -> frozenset[str]:
    return frozenset(str((each.before if before else each.after).get("name")) for each in changes)


def driver_options(volume: Mapping[str, Any]) -> dict[str, str]:
    """A volume's driver options, without what the official plugin keeps there for itself."""
    options = volume.get("driverOpts")
    return (
        {key: str(value) for key, value in options.items() if key != "__defaults"}
        if isinstance(options, Mapping)
        else {}
    )


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The entries of a list of mappings, none where it is none."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
