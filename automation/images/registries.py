"""Public images: what their tags point at, and getting them onto an engine."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from docker import APIClient
from docker.errors import APIError, DockerException
from requests.exceptions import RequestException

from automation.images.engine import engine, present
from automation.images.event import BuildError

Say = Callable[[str], None]


def digests(places: Mapping[str, str], say: Say, *, docker_host: str = "") -> dict[str, str]:
    """The digest that each image's tag points at now, asked by the engine where it is taken from. Raises BuildError."""
    digest_by_image = {}
    with engine(docker_host) as client:
        for image, place in places.items():
            digest_by_image[image] = _digest(client, place)
            say(f"{image} is {digest_by_image[image]}")
    return digest_by_image


def absent(references: Iterable[str], *, docker_host: str = "") -> list[str]:
    """The images that the engine has not, by reference. Raises BuildError."""
    with engine(docker_host) as client:
        return [each for each in references if not present(client, each)]


def pull(references: Iterable[str], say: Say, *, docker_host: str = "") -> list[str]:
    """Get the images that the engine has not; the references of those that came. Raises BuildError."""
    came = []
    with engine(docker_host) as client:
        for reference in references:
            if present(client, reference):
                continue
            say(f"pulling {reference.partition('@')[0]}")
            _pull(client, reference)
            came.append(reference)
    return came


def _digest(client: APIClient, image: str) -> str:
    try:
        distribution: dict[str, Any] = client.inspect_distribution(image)
    except APIError as error:
        raise BuildError(f"{image}: {_reason(error)}") from None
    except (DockerException, RequestException) as error:
        raise BuildError(f"{image}: the engine did not answer: {error}") from None
    return str(distribution["Descriptor"]["digest"])


def _pull(client: APIClient, reference: str) -> None:
    # Whole: with tag and digest apart, docker-py drops one of them.
    name, _, digest = reference.partition("@")
    place, _, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    repository = f"{place}/{last}" if place else last
    try:
        for step in client.pull(repository, tag=digest or tag, stream=True, decode=True):
            if "error" in step:
                raise BuildError(f"{reference}: {str(step['error']).strip()}")
        # By this name the plan asks for it.
        if not present(client, reference):
            raise BuildError(f"{reference}: was pulled, but the engine does not know it by that name")
    except APIError as error:
        raise BuildError(f"{reference}: {_reason(error)}") from None
    except (DockerException, RequestException) as error:
        raise BuildError(f"{reference}: the engine did not answer: {error}") from None


def _reason(error: APIError) -> str:
    return str(error.explanation or error).strip()
