"""Mends what a killed `pulumi` leaves behind: pending operations, half-made resources, failed gates."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from automation.errors import Overtaken
from automation.locks.stack_lock import Hold
from automation.runs.drift import MADE_BY_THE_ENGINE, resources
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
    exported = stack.state()
    if not pending_operations(exported):
        return Recovered(state=exported)
    wait_until_settled(client, stack.name)
    with hold.with_pulumi_lock():
        exported = stack.state()
        pending = pending_operations(exported)
        if stack.locks is None:
            require_idle(stack, exported)
        for each in half_made_resources(pending, exported):
            remove_half_made(client, each, stack.name, say)
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


def half_made_resources(
    pending: list[dict[str, Any]], exported: Mapping[str, Any]
) -> list[tuple[str, str, frozenset[str]]]:
    """(type, name on the engine, ids that the state knows) of each resource whose creation was under way."""
    known = known_ids(exported)
    return [
        (each["resource"]["type"], each["resource"]["inputs"]["name"], known)
        for each in pending
        if each.get("type") == "creating"
        and each["resource"]["type"] in MADE_BY_THE_ENGINE
        and isinstance(each["resource"].get("inputs", {}).get("name"), str)
    ]


def remove_half_made(client: Any, what: tuple[str, str, frozenset[str]], tenant: str, say: Say) -> None:
    """Remove a half-made object that is this tenant's and in no state. Data lies on the drive: none is lost."""
    from docker.errors import NotFound

    kind, name, known = what
    try:
        if kind == CONTAINER:
            inspection = client.inspect_container(name)
            labels, identity = inspection["Config"]["Labels"], inspection["Id"]
        elif kind == NETWORK:
            inspection = client.inspect_network(name)
            labels, identity = inspection["Labels"], inspection["Id"]
        else:
            inspection = client.inspect_volume(name)
            labels, identity = inspection["Labels"], inspection["Name"]
    except NotFound:
        return
    if identity in known or (labels or {}).get(TENANT) != tenant:
        return
    if kind == CONTAINER:
        client.stop(identity, timeout=30)
        client.remove_container(identity, v=True, force=True)
    elif kind == NETWORK:
        client.remove_network(identity)
    else:
        client.remove_volume(identity)
    say(f"removed {name}, left half-made by an interrupted run")


def remove_unrecorded(
    client: Any,
    stack: Stack,
    not_created: Collection[tuple[str, str]],
    before: Collection[tuple[str, str]],
    say: Say,
) -> None:
    """Remove what the engine has made although its creation failed: its answer came too late, and the state knows nothing of it.

    `not_created` has type and name; what `before` (a `snapshot`) had is not touched. An engine that does not answer now, either,
    leaves it there: then the next `up` names it.
    """
    from docker.errors import DockerException
    from requests import RequestException

    made = [each for each in not_created if each[0] in MADE_BY_THE_ENGINE]
    if not made:
        return
    known = known_ids(stack.state()) | {identity for identity, _ in before}
    for kind, name in made:
        try:
            remove_half_made(client, (kind, name, known), stack.name, say)
        except (DockerException, RequestException) as error:
            say(f"{name} may be left on the engine: {error}")


def failed_gates(exported: Mapping[str, Any]) -> list[str]:
    """URNs of jobs whose recorded exit code is not 0: only a replacement runs them again."""
    return [
        each["urn"]
        for each in resources(exported)
        if each["type"] == CONTAINER
        and (each.get("outputs") or {}).get("exitCode")
        and (each.get("inputs") or {}).get("attach")
    ]
