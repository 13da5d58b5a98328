"""Ground for tests of single images: a network, a label by which all is found and removed, one run at a time."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import docker
import docker.types

from automation.images import build
from automation.images.event import silent
from testbed.checkout import locked
from testbed.waiting import until
from tests.e2e.image_trial import PLACE_OF_IMAGES, ImageContainer, TrialNetwork, known

LOCK_LIMIT_SECONDS = 500.0


@contextmanager
def ground(roles: Sequence[str], place: TrialNetwork = PLACE_OF_IMAGES) -> Iterator[docker.APIClient]:
    """The engine; with the images of these roles, and the network, and nothing that an earlier run left."""
    known()
    build(list(roles), on_event=silent)
    with place.lock.open("w") as lock:
        until("another run of these tests to end", lambda: locked(lock), limit=LOCK_LIMIT_SECONDS)
        client = docker.APIClient(**docker.utils.kwargs_from_env(), timeout=60)
        try:
            clean(client, place)
            network(client, place.network, place.subnet, place=place)
            yield client
        finally:
            clean(client, place)
            client.close()


def network(
    client: docker.APIClient,
    name: str,
    subnet: str,
    *,
    internal: bool = True,
    place: TrialNetwork = PLACE_OF_IMAGES,
) -> None:
    """A network that goes away with the ground."""
    client.create_network(
        name,
        internal=internal,
        ipam=docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet=subnet)]),
        labels=place.labels,
    )


def clean(client: docker.APIClient, place: TrialNetwork) -> None:
    """Remove every container and network of these tests."""
    for each in client.containers(all=True, filters={"label": place.label}):
        client.remove_container(each["Id"], force=True, v=True)
    for each in client.networks(filters={"label": place.label}):
        client.remove_network(each["Id"])


def directories(
    client: docker.APIClient, root: Path, owners: Mapping[str, int], place: TrialNetwork = PLACE_OF_IMAGES
) -> None:
    """Directories below `root`, each its user's alone, as storage-init makes them."""
    script = "".join(
        f"mkdir -p /root-of-it/{name} && chown {uid}:{uid} /root-of-it/{name} && chmod 0750 /root-of-it/{name} && "
        for name, uid in owners.items()
    )
    box = ImageContainer(
        client=client,
        name=f"{place.network}-directories",
        role="ops",
        user="0",
        entrypoint=("sh", "-c", f"{script}true"),
        binds=(f"{root}:/root-of-it",),
        capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER"),
        network="none",
        place=place,
    )
    box.create().start()
    assert box.wait_end() == 0, box.logs()
    box.remove()
