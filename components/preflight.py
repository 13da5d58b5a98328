"""The same look at the engine for the plain CLI that `./portal up` takes: before the first resource is asked for."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pulumi

from config.tenant import Tenant
from preflight import tenant as looking
from preflight.obstacles import Obstacle

# `./portal` sets it in the program's globals: it has looked at the plan itself, which knows more.
LOOKED = "LOOKED"


def look(tenant: Tenant, images: Path, state: Iterable[Mapping[str, Any]]) -> None:
    """Raises RunError before an update that the engine would refuse half-way; in a preview it warns.

    A preview needs no engine: where none answers, it says that nobody has looked.
    """
    import docker
    import requests

    try:
        found = looking.obstacles(tenant, images, state)
    except (docker.errors.DockerException, requests.RequestException, OSError, ValueError) as error:
        # An update is told by the plugin, which cannot do without the engine.
        if pulumi.runtime.is_dry_run():
            pulumi.log.info(f"not checked whether the engine has room for all this: {error}")
            return
        if isinstance(error, ValueError):
            raise pulumi.RunError(f"{error}; nothing was stopped or changed") from None
        return
    lines = told(tenant, found)
    if lines and not pulumi.runtime.is_dry_run():
        raise pulumi.RunError("\n".join([*lines, "nothing was stopped or changed"]))
    for each in lines:
        pulumi.log.warn(f"an update would be refused: {each}")


def told(tenant: Tenant, found: Iterable[Obstacle]) -> list[str]:
    """What stands in the way, a line each, as every error of a tenant's file."""
    return [f"tenants/{tenant.name}.yaml: {each}" for each in found]
