"""An engine for tests of single images: one run at a time, on its own network. A label marks all objects for removal."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import docker
import docker.types

from automation.images import build
from automation.images.event import silent
from testbed.checkout import try_lock
from testbed.waiting import until
from tests.e2e.image_trial import IMAGES_NETWORK, ImageContainer, TrialNetwork, image_references

LOCK_LIMIT_SECONDS = 500.0


@contextmanager
def engine_with_images(
    roles: Sequence[str], trial: TrialNetwork = IMAGES_NETWORK
) -> Iterator[docker.APIClient]:
    """The engine with the images of these roles and an empty test network. Removes what an earlier run left."""
    image_references()
    build(list(roles), on_event=silent)
    with trial.lock.open("w") as lock:
        until("another run of these tests to end", lambda: try_lock(lock), limit=LOCK_LIMIT_SECONDS)
        client = docker.APIClient(**docker.utils.kwargs_from_env(), timeout=60)
        try:
            remove_objects(client, trial)
            create_network(client, trial.network, trial.subnet, trial=trial)
            yield client
        finally:
            remove_objects(client, trial)
            client.close()


def create_network(
    client: docker.APIClient,
    name: str,
    subnet: str,
    *,
    internal: bool = True,
    trial: TrialNetwork = IMAGES_NETWORK,
) -> None:
    """Create a network that is removed with the others at the end."""
    client.create_network(
        name,
        internal=internal,
        ipam=docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet=subnet)]),
        labels=trial.labels,
    )


def remove_objects(client: docker.APIClient, trial: TrialNetwork) -> None:
    """Remove every container and network of these tests."""
    for each in client.containers(all=True, filters={"label": trial.label}):
        client.remove_container(each["Id"], force=True, v=True)
    for each in client.networks(filters={"label": trial.label}):
        client.remove_network(each["Id"])


def make_directories(
    client: docker.APIClient, root: Path, owners: Mapping[str, int], trial: TrialNetwork = IMAGES_NETWORK
) -> None:
    """Directories below `root`, each its user's alone, as storage-init makes them."""
    script = "".join(
        f"mkdir -p /root-of-it/{name} && chown {uid}:{uid} /root-of-it/{name} && chmod 0750 /root-of-it/{name} && "
        for name, uid in owners.items()
    )
    box = ImageContainer(
        client=client,
        name=f"{trial.network}-directories",
        role="ops",
        user="0",
        entrypoint=("sh", "-c", f"{script}true"),
        binds=(f"{root}:/root-of-it",),
        capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER"),
        network="none",
        trial=trial,
    )
    box.create().start()
    assert box.wait_end() == 0, box.logs()
    box.remove()
