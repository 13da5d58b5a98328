"""The engine that images are built on."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from docker import APIClient
from docker.errors import DockerException, ImageNotFound
from requests.exceptions import RequestException

from automation.images.event import BuildError
from plugins.docker.tunnel import NoWay
from preflight import connection
from toolchain.paths import cache_directory

# The longest silence of a build: apt unpacking, a package's own script.
SILENCE_SECONDS = 600
ANSWER_SECONDS = 30
# Docker 20.10's.
OLDEST_API = "1.41"


@contextmanager
def engine(docker_host: str = "") -> Iterator[APIClient]:
    """A client of the engine at `docker_host`, else of the shell's own. Raises BuildError when none answers."""
    where = docker_host or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    with ExitStack() as held:
        try:
            arguments = held.enter_context(connection.client_arguments(docker_host))
            # Asked by a client of its own: one that finds no engine while it is made could not be closed.
            asking = APIClient(**arguments, version=OLDEST_API, timeout=ANSWER_SECONDS)
            try:
                version = asking.version(api_version=False)["ApiVersion"]
            finally:
                asking.close()
        except connection.Refused as error:
            raise BuildError(str(error)) from None
        except (DockerException, RequestException, NoWay) as error:
            raise BuildError(f"no Docker engine answers at {where}: {error}") from None
        client = APIClient(**arguments, version=version, timeout=SILENCE_SECONDS)
        held.callback(client.close)
        yield client


def present(client: APIClient, reference: str) -> bool:
    """Whether the engine has this image."""
    try:
        client.inspect_image(reference)
    except ImageNotFound:
        return False
    return True


def cache_folder() -> Path:
    """Where wheels and jars are kept between builds."""
    return cache_directory(os.environ)
