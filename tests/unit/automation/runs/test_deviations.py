"""What happened, held against what was promised; and what the engine has, held against what it was sent."""

import json
from pathlib import Path
from typing import Any

import docker.errors
import pytest
from pulumi.automation.events import StepEventMetadata

from automation.review.redaction import properties
from automation.runs import engine_check
from automation.runs.deviations import compare
from automation.runs.plan import SECRET, Change, Plan, changes
from automation.runs.unknown import UNKNOWN
from config.portal.resource_types import CONTAINER, NETWORK, VOLUME

URN = "urn:pulumi:acme::portals::p$docker:index/container:Container::lms"


def made(op: str = "update", urn: str = URN, **after: Any) -> Change:
    return Change(urn=urn, op=op, after=after)


def kinds(promised: list[Change], happened: list[Change], *failed: str) -> list[tuple[str, str]]:
    found = compare(Plan(tenant="acme", changes=tuple(promised)), tuple(happened), failed)
    return [(each.kind, each.path) for each in found]


@pytest.mark.parametrize(
    ("promised", "happened", "failed", "told"),
    [
        ([made(memory=1)], [made(memory=1)], (), []),
        ([made(memory=1)], [], (), [("not-done", "")]),
        ([], [made(memory=1)], (), [("not-promised", "")]),
        ([made(memory=1)], [made("replace", memory=1)], (), [("other", "")]),
        ([made(memory=1)], [made(memory=2)], (), [("property", "memory")]),
        ([made(memory=1)], [made()], (), [("property", "memory")]),
        ([made()], [], (URN,), [("failed", "")]),
        ([made(id=sorted(UNKNOWN)[0])], [made(id="abc")], (), []),
        ([made(nets=[{"name": sorted(UNKNOWN)[0]}])], [made(nets=[{"name": "n"}])], (), []),
        ([made(nets=[])], [made(nets=["n"])], (), [("property", "nets")]),
        ([made(uploads=SECRET)], [made(uploads=[{"file": "x"}])], (), []),
    ],
)
def test_promised_and_happened(
    promised: list[Change], happened: list[Change], failed: tuple[str, ...], told: list[tuple[str, str]]
) -> None:
    assert kinds(promised, happened, *failed) == told


def test_each_difference_is_a_sentence() -> None:
    (told,) = compare(Plan(tenant="acme", changes=(made(memory=1),)), (made(memory=2),))
    assert str(told) == "lms memory: the preview promised 1, but 2 was sent"


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


RECORDED = Path(__file__).parents[3] / "contract" / "data"


def as_the_official_plugin(value: Any) -> Any:
    """Inputs as pulumi-docker 5.1.0 hands them on: `__defaults` in every object, the plugin's own word.

    The recordings are without it; `capabilities: {'__defaults': [], 'drops': ['ALL']}` was seen in a run.
    """
    if isinstance(value, dict):
        return {"__defaults": [], **{key: as_the_official_plugin(each) for key, each in value.items()}}
    return [as_the_official_plugin(each) for each in value] if isinstance(value, list) else value


def ran(kind: str, before: dict[str, Any] | None, after: dict[str, Any] | None, **more: Any) -> Change:
    """The change that a run's event tells."""
    urn = f"urn:pulumi:acme::portals::p${kind}::one"

    def side(inputs: dict[str, Any] | None) -> dict[str, Any] | None:
        told = {"type": kind, "urn": urn, "id": "1", "parent": "", "provider": "", "custom": True}
        return None if inputs is None else {**told, "inputs": inputs, "outputs": {"__meta": "{}", **inputs}}

    event = {"op": "replace", "urn": urn, "type": kind, "provider": "", **more}
    (found,) = changes([StepEventMetadata.from_json({**event, "old": side(before), "new": side(after)})])
    return found


CASES = [
    (name, case)
    for name, case in json.loads((RECORDED / "change.json").read_text()).items()
    if case["type"] in engine_check.READINGS
]


@pytest.mark.parametrize(("name", "case"), CASES, ids=[name for name, _ in CASES])
def test_what_a_plugin_keeps_for_itself_is_no_difference(name: str, case: dict[str, Any]) -> None:
    """Every recorded change, once as the program says it and once as the official plugin hands it on."""
    before, after = case["before"], case["after"]
    detailed = {
        path: {"diffKind": kind, "inputDiff": True} for path, kind in (case["detailedDiff"] or {}).items()
    }
    plain = ran(case["type"], before, after, detailedDiff=detailed)
    own = {**detailed, "__defaults": {"diffKind": "update"}, "labels[0].__defaults": {"diffKind": "add"}}
    handed = ran(
        case["type"], as_the_official_plugin(before), as_the_official_plugin(after), detailedDiff=own
    )
    assert handed == plain
    assert "__defaults" not in str((handed.before, handed.after, list(properties(handed))))
    promised = Plan(tenant="acme", changes=(plain,))
    assert compare(promised, (handed,)) == ()
    assert compare(Plan(tenant="acme", changes=(handed,)), (plain,)) == ()


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
