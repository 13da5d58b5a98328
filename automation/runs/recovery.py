"""Mends what a killed `pulumi` leaves behind: pending operations, half-made resources, failed gates."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from automation.errors import Overtaken
from automation.locks.stack_lock import Hold
from automation.runs import unanswered
from automation.runs.drift import MADE_BY_THE_ENGINE, resources
from automation.runs.unanswered import Request, request
from automation.stack import Stack
from config.portal.labels import TENANT, tenant_filter
from config.portal.resource_types import CONTAINER, NETWORK

# A plugin notices within 0.2 s that its CLI is gone; the engine may still be finishing its last request.
SETTLE_SECONDS = 1.0
SETTLE_LIMIT_SECONDS = 60.0

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """A stack's state without what was pending, and the containers (URNs) that an interrupted run has told to stop.

    Such a one may run on for as long as its grace, and looks like any other meanwhile: only a new one serves.
    """

    state: dict[str, Any]
    stopping: tuple[str, ...] = ()


def recover(hold: Hold, client: Any, say: Say) -> Recovered:
    """Make a stack that is held fit for the next command.

    What is read, removed and written here is done under our lock and Pulumi's own, so that neither another recovery nor a
    plain `pulumi` comes between. Raises Locked when one does all the same, PortalError when the backend or engine says no.
    """
    stack = hold.stack
    if hold.lock_removed:
        wait_until_settled(client, stack.name)
    if unanswered.read(hold.folder):
        with hold.with_pulumi_lock():
            if stack.locks is None:
                require_idle(stack, stack.state())
            remove_unrecorded(client, hold, (), say)
    exported = stack.state()
    if not pending_operations(exported):
        return Recovered(state=exported)
    wait_until_settled(client, stack.name)
    with hold.with_pulumi_lock():
        exported = stack.state()
        pending = pending_operations(exported)
        if stack.locks is None:
            require_idle(stack, exported)
        for each in half_made_resources(pending):
            remove_half_made(client, each, known_ids(exported), stack.name, say)
        mended = without_pending(exported)
        written = stack.rewrite(exported, mended, hold.folder)
    if not written:
        require_unchanged(stack, exported)
        stack.replace_state(mended)
    say(f"cleared {len(pending)} pending operations of an interrupted run")
    return Recovered(
        state=mended,
        stopping=urns_being_deleted(pending, {each["Id"] for each in running_containers(client, stack.name)}),
    )


def require_idle(stack: Stack, exported: Mapping[str, Any]) -> None:
    """Raises Locked while somebody changes a stack whose locks are not files: its backend takes no import then.

    What is imported is what was read, a moment ago (the CLI's start): a run that begins and ends within it is undone. There is
    no backend of Pulumi's that imports on a condition.
    """
    require_unchanged(stack, exported)
    stack.replace_state(exported)


def require_unchanged(stack: Stack, exported: Mapping[str, Any]) -> None:
    """Raises Overtaken when a stack's state is not what it was."""
    if stack.state() != exported:
        raise Overtaken(f"the state of portal {stack.name} was changed during its recovery")


def wait_until_settled(client: Any, tenant: str) -> None:
    """Wait until the engine makes nothing more for this tenant: its last request outlives a killed client."""
    end = time.monotonic() + SETTLE_LIMIT_SECONDS
    before = None
    while time.monotonic() < end:
        now = snapshot(client, tenant)
        if now == before:
            return
        before = now
        time.sleep(SETTLE_SECONDS)


def snapshot(client: Any, tenant: str) -> list[tuple[str, str]]:
    """Every object of the tenant and its state, to see whether anything moves."""
    label = tenant_filter(tenant)
    return sorted(
        [(each["Id"], each["State"]) for each in client.containers(all=True, filters=label)]
        + [(each["Id"], "network") for each in client.networks(filters=label)]
        + [(each["Name"], "volume") for each in client.volumes(filters=label)["Volumes"] or []]
    )


def pending_operations(exported: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the state says was under way when its writer died."""
    return list((exported.get("deployment") or {}).get("pending_operations") or [])


def without_pending(exported: Mapping[str, Any]) -> dict[str, Any]:
    """The state as it was, its pending operations forgotten."""
    deployment = {key: value for key, value in exported["deployment"].items() if key != "pending_operations"}
    return {**exported, "deployment": deployment}


def running_containers(client: Any, tenant: str) -> list[dict[str, Any]]:
    """The tenant's containers that run."""
    containers: list[dict[str, Any]] = client.containers(filters=tenant_filter(tenant))
    return containers


def urns_being_deleted(pending: list[dict[str, Any]], running: Collection[str]) -> tuple[str, ...]:
    """URNs of the containers that were being deleted, and of `running` (their ids) still are there."""
    return tuple(
        each["resource"]["urn"]
        for each in pending
        if each.get("type") == "deleting"
        and each["resource"]["type"] == CONTAINER
        and each["resource"].get("id") in running
    )


def known_ids(exported: Mapping[str, Any]) -> frozenset[str]:
    """The ids, on the engine, of all that the state says is there."""
    return frozenset(
        each["id"] for each in resources(exported) if each.get("id") and each["type"] in MADE_BY_THE_ENGINE
    )


def half_made_resources(pending: list[dict[str, Any]]) -> list[Request]:
    """What the engine was asked for when the writer of the state died."""
    begun = [
        request(each["resource"]["type"], each["resource"].get("inputs") or {})
        for each in pending
        if each.get("type") == "creating" and each["resource"]["type"] in MADE_BY_THE_ENGINE
    ]
    return [each for each in begun if each]


def remove_half_made(client: Any, what: Request, known: Collection[str], tenant: str, say: Say) -> None:
    """Remove a half-made object that is this tenant's and in no state. Data lies on the drive: none is lost."""
    inspection = find_unknown(client, what, known, tenant)
    if inspection is None:
        return
    if what.type == CONTAINER:
        client.stop(inspection["Id"], timeout=30)
        client.remove_container(inspection["Id"], v=True, force=True)
    elif what.type == NETWORK:
        client.remove_network(inspection["Id"])
    else:
        client.remove_volume(what.name)
    say(f"removed {what.name}, left half-made by an interrupted run")


def find_unknown(client: Any, what: Request, known: Collection[str], tenant: str) -> Mapping[str, Any] | None:
    """What was made of a request, as the engine describes it; None where it made nothing, or another state has it."""
    from docker.errors import NotFound

    try:
        if what.type == CONTAINER:
            inspection = client.inspect_container(what.name)
            labels, identity = inspection["Config"]["Labels"], inspection["Id"]
        elif what.type == NETWORK:
            inspection = client.inspect_network(what.name)
            labels, identity = inspection["Labels"], inspection["Id"]
        else:
            inspection = client.inspect_volume(what.name)
            labels, identity = inspection["Labels"], inspection["Name"]
    except NotFound:
        return None
    of_it = (labels or {}).get(TENANT) == tenant and what.is_of(labels)
    return inspection if of_it and identity not in known and identity not in what.before else None


def remove_unrecorded(client: Any, hold: Hold, new: Iterable[Request], say: Say) -> None:
    """Remove what the engine has made although nobody heard its answer: the state knows nothing of it.

    What is not there now may be made yet, and an engine may not answer now, either: that is written down, and the next command
    that holds the stack looks again. A container that was started is not of such a request, nor is what others use.
    """
    from docker.errors import DockerException
    from requests import RequestException

    requests = {(each.type, each.name): each for each in (*unanswered.read(hold.folder), *new)}
    if not requests:
        return
    known = known_ids(hold.stack.state())
    left = []
    for each in requests.values():
        if each.type not in MADE_BY_THE_ENGINE:
            continue
        try:
            if not remove_late(client, each, known, hold.stack.name, say):
                left.append(each)
        except (DockerException, RequestException) as error:
            say(f"{each.name} may be left on the engine: {error}")
            left.append(each)
    unanswered.write(hold.folder, left)


def remove_late(client: Any, what: Request, known: Collection[str], tenant: str, say: Say) -> bool:
    """Remove what was made of a request without an answer; whether it was there."""
    inspection = find_unknown(client, what, known, tenant)
    if inspection is None or (what.type == CONTAINER and inspection["State"]["Status"] != "created"):
        return False
    if what.type == CONTAINER:
        client.remove_container(inspection["Id"], v=True)
    elif what.type == NETWORK:
        client.remove_network(inspection["Id"])
    else:
        client.remove_volume(what.name)
    say(f"removed {what.name}: the engine made it, but its answer came too late")
    return True


def forget_unanswered(hold: Hold) -> None:
    """Nothing is left to look for: the state has all, or is to have nothing."""
    unanswered.write(hold.folder, ())


def failed_gates(exported: Mapping[str, Any]) -> list[str]:
    """URNs of jobs whose recorded exit code is not 0: only a replacement runs them again."""
    return [
        each["urn"]
        for each in resources(exported)
        if each["type"] == CONTAINER
        and (each.get("outputs") or {}).get("exitCode")
        and (each.get("inputs") or {}).get("attach")
    ]
