"""The limit of processes, which Pulumi's docker.Container has no property for: set on the engine by `up`.

Without it a container may have as many as its memory holds, and a few of them as many as the host has numbers. A limit
of the user (`ulimit nproc`) is none: users are the same in every portal, so one portal's bomb would be all others' limit.
"""

from collections.abc import Iterable
from typing import Any

from automation.engine.inventory import Container

# Threads count as well: mongo has one a connection, the search's JVM some hundred. A host has 32,768 at the least.
PROCESSES = 2048


def without_limit(client: Any, containers: Iterable[Container]) -> list[str]:
    """Those of the containers, by name, that run and have no limit of processes, or another one."""
    from docker.errors import NotFound

    names = []
    for each in containers:
        if each.state != "running":
            continue
        try:
            inspection = client.inspect_container(each.name)
        except NotFound:
            continue
        if inspection["HostConfig"].get("PidsLimit") != PROCESSES:
            names.append(each.name)
    return names


def set_limit(client: Any, container: str) -> None:
    """Set it on a container: the kernel holds it from now on, the engine through every restart.

    Raises requests.HTTPError when the engine refuses.
    https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerUpdate
    """
    # docker-py's own update_container does not know the word.
    url = f"{client.base_url}/v{client.api_version}/containers/{container}/update"
    client.post(url, json={"PidsLimit": PROCESSES}, timeout=client.timeout).raise_for_status()


def apply_limits(client: Any, containers: Iterable[Container]) -> list[str]:
    """Set it on every container that runs without; return their names."""
    names = without_limit(client, containers)
    for each in names:
        set_limit(client, each)
    return names


def warning(tenant: str, names: Iterable[str]) -> str:
    """One line for people, empty where every container has its limit."""
    names_text = ", ".join(names)
    return (
        f"no limit of processes yet (plain pulumi sets none): {names_text}; ./portal up {tenant} sets it"
        if names_text
        else ""
    )
