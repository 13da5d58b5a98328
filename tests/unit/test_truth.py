"""What happened, held against what was promised; and what the engine has, held against what it was sent."""

from typing import Any

import docker.errors
import pytest

from automation import reality
from automation.plan import SECRET, Change, Plan
from automation.truth import UNKNOWN, compare

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
    assert str(told) == "lms memory: the preview promised 1, and 2 was sent"


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
    return [each.path or each.happened for each in reality.compare(Engine(), [changed])]


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
    assert [each.happened for each in reality.compare(Engine(), [gone])] == ["none"]
    never = Change(urn=URN, op="delete", before={"name": "acme-other"})
    assert list(reality.compare(Engine(), [never])) == []
