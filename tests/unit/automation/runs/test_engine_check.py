"""What the engine has after a run, held against what it was sent."""

from typing import Any

import docker.errors
import pytest

from automation.runs import engine_check
from automation.runs.plan import SECRET, Change
from config.portal.resource_types import CONTAINER, NETWORK, VOLUME
from tests.unit.automation.runs.official_plugin import as_the_official_plugin, ran

URN = "urn:pulumi:acme::portals::p$docker:index/container:Container::lms"


class Engine:
    """Knows one container and nothing else."""

    def __init__(self, **told: Any) -> None:
        self.told = told

    def inspect_container(self, name: str) -> dict[str, Any]:
        if name != "acme-lms":
            raise docker.errors.NotFound("no such container")
        return {
            "Config": {
                "Env": ["A=1", "PATH=/bin"],
                "Labels": {"portal.tenant": "acme"},
                "Healthcheck": {"Test": ["CMD", "old"]},
                "User": "1000",
                "Image": "x:1",
            },
            "HostConfig": {
                "Memory": 512 * 1024 * 1024,
                "CapAdd": ["CHOWN"],
                "CapDrop": ["ALL"],
                "PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "80"}]},
            },
            "Mounts": [{"Destination": "/data", "Name": "acme-lms", "Source": "/x", "RW": True}],
            "NetworkSettings": {"Networks": {"acme-private": {"Aliases": ["lms", "0123"]}}},
            **self.told,
        }

    def inspect_network(self, name: str) -> dict[str, Any]:
        raise docker.errors.NotFound(name)

    inspect_volume = inspect_network


def lies(op: str = "update", **after: Any) -> list[str]:
    changed = Change(urn=URN, op=op, before={"name": "acme-lms"}, after={"name": "acme-lms", **after})
    return [each.path or each.happened for each in engine_check.compare(Engine(), [changed])]


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ({"memory": 512, "user": "1000", "image": "x:1", "envs": ["A=1"]}, []),
        ({"memory": 768}, ["memory"]),
        ({"envs": ["A=2"]}, ["envs"]),
        ({"healthcheck": {"tests": ["CMD", "new"], "interval": "2s"}}, ["healthcheck"]),
        ({"healthcheck": {"tests": ["CMD", "old"], "interval": "2s"}}, []),
        ({"capabilities": {"adds": ["CAP_CHOWN"], "drops": ["ALL"]}}, []),
        ({"capabilities": {"adds": ["CAP_FOWNER"], "drops": ["ALL"]}}, ["capabilities"]),
        ({"labels": [{"label": "portal.tenant", "value": "acme"}]}, []),
        ({"labels": [{"label": "portal.tenant", "value": "oak"}]}, ["labels"]),
        ({"ports": [{"ip": "127.0.0.1", "external": 80.0, "internal": 8080.0}]}, []),
        ({"ports": [{"ip": "127.0.0.1", "external": 81.0, "internal": 8080.0}]}, ["ports"]),
        ({"volumes": [{"volumeName": "acme-lms", "containerPath": "/data"}]}, []),
        ({"volumes": [{"volumeName": "acme-lms", "containerPath": "/data", "readOnly": True}]}, ["volumes"]),
        ({"networksAdvanced": [{"name": "acme-private", "aliases": ["lms"]}]}, []),
        ({"networksAdvanced": [{"name": "acme-private", "aliases": ["cms"]}]}, ["networksAdvanced"]),
        ({"envs": SECRET}, []),
    ],
)
def test_what_the_engine_has_otherwise_is_told(after: dict[str, Any], told: list[str]) -> None:
    assert lies(**after) == told


def test_what_was_deleted_and_is_still_there_is_told() -> None:
    assert lies("delete") == ["acme-lms still"]


def test_what_was_made_and_is_not_there_is_told() -> None:
    gone = Change(urn=URN, op="create", after={"name": "acme-other"})
    assert [each.happened for each in engine_check.compare(Engine(), [gone])] == ["none"]
    never = Change(urn=URN, op="delete", before={"name": "acme-other"})
    assert list(engine_check.compare(Engine(), [never])) == []


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        (
            CONTAINER,
            {
                "capabilities": {"drops": ["ALL"]},
                "labels": [{"label": "portal.tenant", "value": "acme"}],
                "volumes": [{"volumeName": "acme-lms", "containerPath": "/data"}],
                "networksAdvanced": [{"name": "acme-private", "aliases": ["lms"]}],
                "ports": [{"ip": "127.0.0.1", "external": 80.0, "internal": 8080.0}],
            },
        ),
        (
            NETWORK,
            {"ipamConfigs": [{"gateway": "10.77.0.1", "subnet": "10.77.0.0/25"}], "internal": True},
        ),
        (VOLUME, {"driverOpts": {"type": "none", "o": "bind", "device": "/srv/x"}}),
    ],
)
def test_what_a_plugin_keeps_for_itself_is_not_looked_for_on_the_engine(
    kind: str, after: dict[str, Any]
) -> None:
    engine = Whole()
    change = ran(kind, None, as_the_official_plugin({"name": "acme-lms", **after}), op="create")
    assert engine_check.compare(engine, [change]) == ()
    # What is really otherwise is told as before.
    engine.told_otherwise()
    assert {each.path for each in engine_check.compare(engine, [change])} == set(after) - {"internal"}


class Whole(Engine):
    """Has one container, one network and one volume of the same name."""

    network: dict[str, Any]
    volume: dict[str, Any]

    def __init__(self) -> None:
        super().__init__()
        self.network = {
            "Internal": True,
            "IPAM": {"Config": [{"Gateway": "10.77.0.1", "Subnet": "10.77.0.0/25"}]},
        }
        self.volume = {"Options": {"type": "none", "o": "bind", "device": "/srv/x"}}

    def told_otherwise(self) -> None:
        self.told = {
            "Config": {"Labels": {}},
            "HostConfig": {"CapAdd": None, "CapDrop": [], "PortBindings": {}},
            "Mounts": [],
            "NetworkSettings": {"Networks": {}},
        }
        self.network["IPAM"] = {"Config": [{"Gateway": "10.77.0.1", "Subnet": "10.77.1.0/25"}]}
        self.volume["Options"] = {**self.volume["Options"], "device": "/srv/y"}

    def inspect_network(self, name: str) -> dict[str, Any]:
        return self.network

    def inspect_volume(self, name: str) -> dict[str, Any]:
        return self.volume
