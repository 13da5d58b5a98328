"""The same look at the engine for the plain CLI that `./portal up` takes: before the first resource is asked for."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pulumi

from config.tenant.tenant import Tenant
from config.values import placement
from preflight import facts as host_facts
from preflight import tenant as looking
from preflight.obstacles import Obstacle

# `./portal` sets it in the program's globals: it has looked at the plan itself, which knows more.
LOOKED = "LOOKED"


def check_engine(tenant: Tenant, images: Path, state: Iterable[Mapping[str, Any]]) -> None:
    """Raises RunError before an update that the engine would refuse half-way; in a preview it warns.

    A preview needs no engine: where none answers, it says that nobody has looked.
    """
    if why := placement.refusal(placement.address_of(tenant.placement.docker_host, os.environ), os.environ):
        # Against the state alone nobody is asked, so nothing is refused there.
        if not pulumi.runtime.is_dry_run():
            raise pulumi.RunError(f"{why}; nothing was stopped or changed")
        pulumi.log.info(f"could not check the engine's capacity: {why}")
        return
    try:
        obstacles = looking.obstacles(tenant, images, state)
    # By a call: what an engine may raise is loaded where one was asked, which takes longer than all else here.
    except host_facts.engine_errors() as error:
        # An update is told by the plugin, which cannot do without the engine.
        if pulumi.runtime.is_dry_run():
            pulumi.log.info(f"could not check the engine's capacity: {error}")
        return
    lines = engine_warnings(tenant, obstacles)
    if lines and not pulumi.runtime.is_dry_run():
        raise pulumi.RunError("\n".join([*lines, "nothing was stopped or changed"]))
    for each in lines:
        pulumi.log.warn(f"an update would be refused: {each}")


def engine_warnings(tenant: Tenant, obstacles: Iterable[Obstacle]) -> list[str]:
    """What stands in the way, a line each, as every error of a tenant's file."""
    return [f"tenants/{tenant.name}.yaml: {each}" for each in obstacles]
