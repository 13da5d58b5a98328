"""How an engine is reached from this shell: what may be used, and the words that docker-py wants."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from config.values import placement
from plugins.docker.tunnel import SCHEME, Tunnel


class Refused(Exception):
    """This shell may not use the engine; the text says why, with the remedy."""


@contextmanager
def client_arguments(docker_host: str) -> Iterator[dict[str, Any]]:
    """What docker-py wants to know of an engine, the tenant's or else the shell's own; one behind ssh is brought here meanwhile.

    The one place that a client's arguments come from. Raises Refused, and OSError where ssh does not get there.
    """
    address = docker_host or os.environ.get("DOCKER_HOST", "")
    if why := placement.refusal(address, os.environ):
        raise Refused(why)
    if not address.startswith(SCHEME):
        yield direct_arguments(docker_host)
        return
    way = Tunnel(address)
    try:
        yield {"base_url": way.address}
    finally:
        way.close()


def direct_arguments(docker_host: str) -> dict[str, Any]:
    """The same for one that needs no way made, with the shell's own certificates."""
    from docker.utils import kwargs_from_env

    if docker_host and not docker_host.startswith("tcp://"):
        return {"base_url": docker_host}
    environment = {**os.environ, "DOCKER_HOST": docker_host} if docker_host else dict(os.environ)
    arguments: dict[str, Any] = kwargs_from_env(environment=environment)
    return arguments
