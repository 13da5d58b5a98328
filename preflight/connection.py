"""How an engine is reached from this shell: the words that docker-py wants."""

import os
from typing import Any


def arguments(docker_host: str) -> dict[str, Any]:
    """What docker-py wants to know of an engine: the tenant's, with the shell's own certificates, or the shell's own."""
    from docker.utils import kwargs_from_env

    if docker_host and not docker_host.startswith("tcp://"):
        return {"base_url": docker_host}
    told = {**os.environ, "DOCKER_HOST": docker_host} if docker_host else dict(os.environ)
    found: dict[str, Any] = kwargs_from_env(environment=told)
    return found
