"""What the engine has after a run, held against what it was sent."""

from typing import Any

import pytest

from automation.runs import engine_check
from automation.runs.plan import SECRET, Change
from config.portal.resource_types import CONTAINER, NETWORK, VOLUME
from tests.fake_engine import FakeEngine, container
from tests.unit.automation.runs.official_plugin import as_the_official_plugin, recorded_change

URN = "urn:pulumi:acme::portals::p$docker:index/container:Container::lms"


def engine() -> FakeEngine:
    """Knows one container and nothing else."""
    lms = container(
        Config={
            "Env": ["A=1", "PATH=/bin"],
            "Labels": {"portal.tenant": "acme"},
            "Healthcheck": {"Test": ["CMD", "old"]},
            "User": "1000",
            "Image": "x:1",
        },
        HostConfig={
            "Memory": 512 * 1024 * 1024,
            "CapAdd": ["CHOWN"],
            "CapDrop": ["ALL"],
            "PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "80"}]},
        },
        Mounts=[{"Destination": "/data", "Name": "acme-lms", "Source": "/x", "RW": True}],
        NetworkSettings={"Networks": {"acme-private": {"Aliases": ["lms", "0123"]}}},
    )
    return FakeEngine(containers={"acme-lms": lms})


def whole_engine() -> FakeEngine:
    """Has one container, one network and one volume of the same name."""
    made = engine()
    made.there_networks["acme-lms"] = {
        "Internal": True,
        "IPAM": {"Config": [{"Gateway": "10.77.0.1", "Subnet": "10.77.0.0/25"}]},
    }
    made.there_volumes["acme-lms"] = {"Options": {"type": "none", "o": "bind", "device": "/srv/x"}}
    return made


def change_all(made: FakeEngine) -> None:
    """Nothing of it is any more what a program has asked for."""
    made.there["acme-lms"] |= {
        "Config": {"Labels": {}},
        "HostConfig": {"CapAdd": None, "CapDrop": [], "PortBindings": {}},
        "Mounts": [],
        "NetworkSettings": {"Networks": {}},
    }
    made.there_networks["acme-lms"]["IPAM"] = {"Config": [{"Gateway": "10.77.0.1", "Subnet": "10.77.1.0/25"}]}
    made.there_volumes["acme-lms"]["Options"]["device"] = "/srv/y"


def lies(op: str = "update", **after: Any) -> list[str]:
    changed = Change(urn=URN, op=op, before={"name": "acme-lms"}, after={"name": "acme-lms", **after})
    return [each.path or each.happened for each in engine_check.compare(engine(), [changed])]


@pytest.mark.parametrize(
    ("after", "expected"),
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
def test_what_the_engine_has_otherwise_is_told(after: dict[str, Any], expected: list[str]) -> None:
    assert lies(**after) == expected


def test_what_was_deleted_and_is_still_there_is_told() -> None:
    assert lies("delete") == ["acme-lms still"]


def test_what_was_made_and_is_not_there_is_told() -> None:
    gone = Change(urn=URN, op="create", after={"name": "acme-other"})
    assert [each.happened for each in engine_check.compare(engine(), [gone])] == ["none"]
    never = Change(urn=URN, op="delete", before={"name": "acme-other"})
    assert list(engine_check.compare(engine(), [never])) == []


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
    made = whole_engine()
    change = recorded_change(kind, None, as_the_official_plugin({"name": "acme-lms", **after}), op="create")
    assert engine_check.compare(made, [change]) == ()
    # What is really otherwise is told as before.
    change_all(made)
    assert {each.path for each in engine_check.compare(made, [change])} == set(after) - {"internal"}
