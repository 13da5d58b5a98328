"""Whether the engine that a run would use is the one that a state's portal is on, though it is reached by other words."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from automation.engine import inventory
from automation.errors import PortalError
from automation.runs import drift
from automation.runs.plan import Plan
from config.portal.labels import tenant_filter
from config.portal.resource_types import CONTAINER, DOCKER_PROVIDER, NETWORK
from config.values import placement

# A preview must not wait for a machine that is off.
ANSWER_SECONDS = 5


class Sameness(StrEnum):
    """What is known of two addresses: nothing to compare is SAME, nobody to ask is UNKNOWN."""

    SAME = "same"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class EngineObjects:
    """What an engine says of itself, and the ids of all that it has of one tenant; `running` are containers by name."""

    identity: str
    objects: frozenset[str]
    running: tuple[str, ...] = ()


def address_change(plan: Plan) -> tuple[str, str] | None:
    """The addresses of the engine that was and the one that will be, where a plan says other words for it."""
    for each in plan.changes:
        if each.type == DOCKER_PROVIDER and each.op in ("update", "replace"):
            before, after = (
                placement.canonical(str(inputs.get("host") or "")) for inputs in (each.before, each.after)
            )
            if before != after:
                return before, after
    return None


def compare(
    known: Collection[str], before: str, after: str, ask: Callable[[str], EngineObjects | None]
) -> tuple[Sameness, EngineObjects | None]:
    """Whether two addresses are one engine's, and what the first says, where that is another's and answers.

    `known` are the ids that the state has. An engine that has one of them is the same: ids of containers and networks are drawn at
    random. So every state is a record of its engine already, those of earlier versions too. An engine's own id (`docker info`) is
    asked besides, for a portal of which the engine has nothing any more.
    """
    if not known:
        return Sameness.SAME, None
    new = ask(after)
    if new is None:
        names = [placement.machine(each) for each in (before, after)]
        apart = placement.HERE not in names and names[0] != names[1]
        return (Sameness.OTHER if apart else Sameness.UNKNOWN), None
    if new.objects & set(known):
        return Sameness.SAME, None
    old = ask(before)
    if old and old.identity and old.identity == new.identity:
        return Sameness.SAME, None
    return Sameness.OTHER, old


def objects_at(tenant: str) -> Callable[[str], EngineObjects | None]:
    """Asks an engine what it has of a tenant; None where none answers, or may be asked."""

    def ask(address: str) -> EngineObjects | None:
        try:
            with inventory.connect(address, first=ANSWER_SECONDS) as client:
                return objects(client, tenant)
        except PortalError:
            return None

    return ask


def objects(client: Any, tenant: str) -> EngineObjects:
    """What an engine has of a tenant. Raises what docker-py raises."""
    label = tenant_filter(tenant)
    containers = client.containers(all=True, filters=label)
    networks = client.networks(filters=label)
    running = (each["Names"][0].lstrip("/") for each in containers if each["State"] == "running")
    return EngineObjects(
        identity=str(client.info().get("ID") or ""),
        objects=frozenset(each["Id"] for each in (*containers, *networks)),
        running=tuple(sorted(running)),
    )


def ids(exported: Mapping[str, Any]) -> set[str]:
    """The ids of containers and networks that a state has. A volume's is its name, which says nothing."""
    return {
        str(each["id"])
        for each in drift.resources(exported)
        if each["type"] in (CONTAINER, NETWORK) and each.get("id")
    }
