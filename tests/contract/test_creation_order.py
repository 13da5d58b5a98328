"""A network or a volume is deleted when all that use it are gone, whoever else is replaced in the same run."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.images import reference
from tests.contract.plugin_stack import ROOT, Stack, ensure_image, missing

docker = pytest.importorskip("docker")

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.skipif(missing() != "", reason=missing() or "-")]

# The components as the program has them. The user of all ends only when it is killed, after its grace.
PROGRAM = f"""
import pathlib
import sys
from ipaddress import IPv4Network

sys.path.insert(0, {str(ROOT)!r})
import pulumi
import pulumi_docker as docker

from components import creation_order, network, storage, workload
from config.portal.networks import Network

mark = pathlib.Path("mark").read_text()
identity = workload.identity
network.identity = storage.identity = lambda *words: {{**identity(*words), "trial": mark}}
order = creation_order.CreationOrder()
nets = network.Networks(
    "networks",
    network.NetworksArgs(
        tenant="conf-t",
        order=order,
        networks={{
            "front": Network(
                name="front", subnet=IPv4Network("10.91.30.0/25"), internal=True, members={{}}
            ),
            "ingress": Network(
                name="ingress", subnet=IPv4Network("10.91.30.128/26"), internal=False, members={{}}
            ),
        }},
    ),
)


class Volumes(storage.Storage):
    def __init__(self):
        pulumi.ComponentResource.__init__(self, "portal:index:Storage", "storage", None, None)
        self.directory = str(pathlib.Path("drive").absolute())
        args = storage.StorageArgs(
            tenant="conf-t", owner="", root="/", image="", memory=0, wanted=None, before=(), order=order,
            directories={{each: 0 for each in ("a", "b", "c")}},
        )
        self.volumes = {{each: self._volume(each, args) for each in args.directories}}


volumes = Volumes().volumes
docker.Container(
    "user",
    name="conf-t-user",
    image={reference("base", ROOT / "images")!r},
    command=["sh", "-c", "trap '' TERM; while :; do sleep 1; done"],
    network_mode="bridge",
    networks_advanced=[
        docker.ContainerNetworksAdvancedArgs(name=nets.names[each]) for each in ("front", "ingress")
    ],
    volumes=[
        docker.ContainerVolumeArgs(volume_name=volume, container_path=f"/data/{{name}}")
        for name, volume in volumes.items()
    ],
    destroy_grace_seconds=4,
    opts=pulumi.ResourceOptions(delete_before_replace=True),
)
"""
USED = {"front", "ingress", "volume-a", "volume-b", "volume-c"}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    client = docker.APIClient(version="auto")
    ensure_image(client)
    sweep(client)
    made = Stack(tmp_path)
    made.program(PROGRAM)
    for each in ("a", "b", "c"):
        (made.work / "drive" / each).mkdir(parents=True)
    yield made
    ended = made.destroy()
    sweep(client)
    client.close()
    assert not ended.failed, ended.output


def sweep(client: Any) -> None:
    """Remove what a test that was killed may have left."""
    for each in client.containers(all=True, filters={"name": "^/conf-t-"}):
        client.remove_container(each["Id"], force=True, v=True)
    for each in client.networks(filters={"name": "^conf-t-"}):
        client.remove_network(each["Id"])
    for each in client.volumes(filters={"name": "conf-t-"})["Volumes"] or []:
        client.remove_volume(each["Name"])


def deletions(events: Path) -> list[tuple[str, str]]:
    """Each deletion's beginning and end, by the resource's name, in the order in which they happened."""
    deleted = []
    for line in events.read_text().splitlines():
        event = json.loads(line)
        for key, what in (("resourcePreEvent", "begins"), ("resOutputsEvent", "ends")):
            metadata = (event.get(key) or {}).get("metadata") or {}
            if metadata.get("op") in ("delete", "delete-replaced"):
                deleted.append((metadata["urn"].split("::")[-1], what))
    return deleted


def test_what_uses_a_network_or_a_volume_goes_before_it(stack: Stack) -> None:
    """All of them change at once: five deletions wait for one container that takes four seconds to stop."""
    (stack.work / "mark").write_text("1")
    first = stack.up()
    assert not first.failed, first.output
    (stack.work / "mark").write_text("2")
    outcome = stack.preview()
    # What is away meanwhile is named before.
    assert {name for name, ops in outcome.changed().items() if "replace" in ops} == {*USED, "user"}
    second = stack.up()
    assert not second.failed, second.output
    order = deletions(stack.events)
    gone = order.index(("user", "ends"))
    assert {name for name, what in order[gone:] if what == "begins"} == USED, order
    assert {name for name, _ in order[:gone]} == {"user"}, order
