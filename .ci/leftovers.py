"""What portals left on the engine: `list` prints their objects, `remove FILE` removes those that FILE does not list."""

import sys
from collections.abc import Iterator
from pathlib import Path

import docker
from docker.errors import APIError, NotFound

OURS = {"label": "portal.tenant"}


def objects(client: docker.APIClient) -> Iterator[tuple[str, str]]:
    """Kind and identity, in the order in which they can be removed."""
    yield from (("container", each["Id"]) for each in client.containers(all=True, filters=OURS))
    yield from (("network", each["Id"]) for each in client.networks(filters=OURS))
    yield from (("volume", each["Name"]) for each in client.volumes(filters=OURS)["Volumes"] or [])


def remove(client: docker.APIClient, kind: str, identity: str) -> None:
    if kind == "container":
        client.remove_container(identity, force=True)
    elif kind == "network":
        client.remove_network(identity)
    else:
        client.remove_volume(identity)


def main(words: list[str]) -> int:
    """0: done. 1: something could not be removed; it is told."""
    client = docker.APIClient(timeout=60, **docker.utils.kwargs_from_env())
    if words == ["list"]:
        print("\n".join(f"{kind} {identity}" for kind, identity in objects(client)))
        return 0
    before = set(Path(words[1]).read_text().splitlines())
    code = 0
    for kind, identity in list(objects(client)):
        if f"{kind} {identity}" in before:
            continue
        try:
            remove(client, kind, identity)
            print(f"removed {kind} {identity[:12]}, which the tests left", file=sys.stderr)
        except NotFound:
            continue
        except APIError as error:
            print(f"{kind} {identity[:12]}: {error.explanation}", file=sys.stderr)
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
