"""A fork bomb in a container that was broken into: bounded in number and time, and away with its container."""

import json
from collections.abc import Iterator

import docker
import pytest

from automation.engine import inventory, process_limits
from testbed import container_exec
from testbed.objects import LIMIT_SECONDS, Objects

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

TENANT = "e2e-bomb"
# More than the limit, and less than would trouble the host; all of them end by themselves.
TRIES = process_limits.PROCESSES + 300
BOMB = f"""
import json, os, time
made = 0
try:
    while made < {TRIES}:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        made += 1
except BlockingIOError:
    pass
print(json.dumps(made))
"""


@pytest.fixture
def objects() -> Iterator[Objects]:
    client = docker.APIClient(**docker.utils.kwargs_from_env(), timeout=LIMIT_SECONDS)
    yield Objects(client=client)
    client.close()


@pytest.fixture
def container(objects: Objects) -> Iterator[str]:
    """A container with a portal's labels, of a user that no image has, with memory for every process of the bomb."""
    made = objects.client.create_container(
        objects.image("python"),
        entrypoint=["sleep", "120"],
        user="1777:1777",
        name=f"{TENANT}-lms",
        labels={
            "portals.e2e": "",
            "portal.tenant": TENANT,
            "portal.service": "lms",
            "portal.group": "openedx",
        },
        host_config=objects.client.create_host_config(network_mode="none", mem_limit="1g"),
    )
    try:
        objects.client.start(made["Id"])
        yield made["Id"]
    finally:
        objects.client.remove_container(made["Id"], force=True)


def test_a_fork_bomb_meets_the_limit_and_the_host_goes_on(objects: Objects, container: str) -> None:
    containers = inventory.containers(objects.client, TENANT)
    assert process_limits.apply_limits(objects.client, containers) == [f"{TENANT}-lms"]
    assert process_limits.without_limit(objects.client, containers) == []
    code, out = container_exec.run(objects.client, container, "python3", "-c", BOMB)
    assert code == 0, out
    # Its first process, and the one that forks.
    assert process_limits.PROCESSES - 5 <= json.loads(out) < process_limits.PROCESSES


def test_the_limit_outlasts_a_restart(objects: Objects, container: str) -> None:
    process_limits.set_limit(objects.client, container)
    objects.client.restart(container, timeout=0)
    assert container_exec.run(
        objects.client,
        container,
        "sh",
        "-c",
        "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null || true",
    )[1].strip() == str(process_limits.PROCESSES)


def test_what_has_none_is_said_with_the_remedy() -> None:
    assert process_limits.warning("acme", []) == ""
    assert process_limits.warning("acme", ["acme-lms"]).endswith("acme-lms; ./portal up acme sets it")
