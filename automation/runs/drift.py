"""What the state says is there and the engine does not have, or not running: the reason for a refresh before `up`."""

from collections.abc import Iterable, Mapping
from typing import Any

from automation.engine.inventory import Container
from config.portal.resource_types import CONTAINER, NETWORK, VOLUME

MADE_BY_THE_ENGINE = (CONTAINER, NETWORK, VOLUME)


def resources(exported: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The resources of an exported state; none for a stack that was never up."""
    return list((exported.get("deployment") or {}).get("resources") or [])


def missing(
    exported: Mapping[str, Any],
    containers: Iterable[Container],
    networks: Iterable[str],
    volumes: Iterable[str],
) -> list[str]:
    """Names, sorted, of what the state has and the engine lacks; of containers also those that should run and do not."""
    by_name = {each.name: each for each in containers}
    there = {CONTAINER: set(by_name), NETWORK: set(networks), VOLUME: set(volumes)}
    names = set()
    for each in resources(exported):
        if each["type"] not in MADE_BY_THE_ENGINE or each.get("delete"):
            continue
        properties = {**(each.get("inputs") or {}), **(each.get("outputs") or {})}
        name = str(properties.get("name"))
        ends = properties.get("mustRun") is False
        gone = name not in there[each["type"]]
        stopped = each["type"] == CONTAINER and not gone and not ends and by_name[name].state != "running"
        if gone or stopped:
            names.add(name)
    return sorted(names)
