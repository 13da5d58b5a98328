"""What the engine really has of what a run has just changed, property by property: plugins are not believed.

The official plugin says `updated` for some changes that the engine never hears of (docs/deviations.md).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from automation.runs.deviations import Deviation, shortened
from automation.runs.plan import SECRET, Change
from automation.runs.unknown import UNKNOWN
from config.portal.resource_types import CONTAINER, NETWORK, VOLUME

MIB = 1024 * 1024
Inspection = Mapping[str, Any]
# How to read from `docker inspect` what an input of that name has led to, in the input's own terms.
Reading = Callable[[Inspection, Any], Any]


def environment(inspection: Inspection, expected: Any) -> Any:
    """Those of the wanted variables that it has; an image may bring more."""
    return sorted(set(inspection["Config"]["Env"] or ()) & set(expected))


def labels(inspection: Inspection, expected: Any) -> Any:
    """Those of the wanted labels that it has; an image may bring more."""
    actual_labels = (inspection["Config"]["Labels"] if "Config" in inspection else inspection["Labels"]) or {}
    return [each for each in expected if actual_labels.get(each["label"]) == each["value"]]


def networks(inspection: Inspection, expected: Any) -> Any:
    """The networks that it is in, with those of the wanted aliases that it answers to."""
    actual_networks = inspection["NetworkSettings"]["Networks"]
    return [
        {
            **each,
            "aliases": [
                one
                for one in each.get("aliases") or []
                if one in (actual_networks[each["name"]]["Aliases"] or ())
            ],
        }
        for each in expected
        if each["name"] in actual_networks
    ]


def ports(inspection: Inspection, expected: Any) -> Any:
    """Those of the wanted ports that it publishes."""
    bound = inspection["HostConfig"]["PortBindings"] or {}
    return [
        each
        for each in expected
        if {"HostIp": each.get("ip", "0.0.0.0"), "HostPort": str(int(each["external"]))}  # noqa: S104 (the engine's word)
        in (bound.get(f"{int(each['internal'])}/{each.get('protocol', 'tcp')}") or ())
    ]


def volumes(inspection: Inspection, expected: Any) -> Any:
    """Those of the wanted volumes and bind mounts that it has at their places."""
    actual_volumes = {
        (each["Destination"], each.get("Name") or each["Source"]): each["RW"] for each in inspection["Mounts"]
    }
    return [
        each
        for each in expected
        if actual_volumes.get((each["containerPath"], each.get("volumeName") or each.get("hostPath")))
        is (not each.get("readOnly", False))
    ]


def probe(inspection: Inspection, expected: Any) -> Any:
    """The health probe's words, the rest as wanted: its times are told in other units."""
    return {**expected, "tests": (inspection["Config"].get("Healthcheck") or {}).get("Test")}


def capabilities(inspection: Inspection, expected: Any) -> Any:
    """What it may and may not, in the program's spelling."""
    added = {f"CAP_{each.removeprefix('CAP_')}" for each in inspection["HostConfig"]["CapAdd"] or ()}
    return {
        key: [each for each in listed if each in added]
        if key == "adds"
        else inspection["HostConfig"]["CapDrop"]
        for key, listed in expected.items()
    }


READINGS: Mapping[str, Mapping[str, Reading]] = {
    CONTAINER: {
        "capabilities": capabilities,
        "command": lambda inspection, _: inspection["Config"]["Cmd"],
        "envs": environment,
        "healthcheck": probe,
        "image": lambda inspection, _: inspection["Config"]["Image"],
        "labels": labels,
        "logOpts": lambda inspection, _: inspection["HostConfig"]["LogConfig"]["Config"],
        "cpuShares": lambda inspection, _: inspection["HostConfig"]["CpuShares"],
        "memory": lambda inspection, _: inspection["HostConfig"]["Memory"] / MIB,
        "memorySwap": lambda inspection, _: inspection["HostConfig"]["MemorySwap"] / MIB,
        "networksAdvanced": networks,
        "ports": ports,
        "restart": lambda inspection, _: inspection["HostConfig"]["RestartPolicy"]["Name"],
        "securityOpts": lambda inspection, _: inspection["HostConfig"]["SecurityOpt"],
        "stopTimeout": lambda inspection, _: inspection["Config"]["StopTimeout"],
        "tmpfs": lambda inspection, _: inspection["HostConfig"]["Tmpfs"],
        "user": lambda inspection, _: inspection["Config"]["User"],
        "volumes": volumes,
    },
    NETWORK: {
        "internal": lambda inspection, _: inspection["Internal"],
        "ipamConfigs": lambda inspection, _: [
            {"gateway": each.get("Gateway"), "subnet": each["Subnet"]}
            for each in inspection["IPAM"]["Config"]
        ],
        "labels": labels,
        "options": lambda inspection, _: inspection["Options"],
    },
    VOLUME: {"driverOpts": lambda inspection, _: inspection["Options"], "labels": labels},
}


def compare(client: Any, changes: Iterable[Change]) -> tuple[Deviation, ...]:
    """Every property of the changed resources that the engine has otherwise than the run has sent it."""
    return tuple(one for each in changes if each.type in READINGS for one in of_resource(client, each))


def of_resource(client: Any, change: Change) -> Iterator[Deviation]:
    """One resource's differences; what is deleted must not be there."""
    gone = change.op == "delete"
    name = str((change.before if gone else change.after).get("name"))
    inspection = inspect(client, change.type, name)
    if gone or inspection is None:
        if gone is not (inspection is None):
            yield Deviation(
                urn=change.urn,
                kind="engine",
                promised=f"no {name}" if gone else name,
                happened=f"{name} still" if gone else "none",
            )
        return
    yield from of_properties(change, inspection)


def of_properties(change: Change, inspection: Inspection) -> Iterator[Deviation]:
    """The properties that `docker inspect` tells otherwise."""
    for key, read in READINGS[change.type].items():
        expected_value = change.after.get(key)
        if (
            expected_value is None
            or expected_value == SECRET
            or any(each in str(expected_value) for each in UNKNOWN)
        ):
            continue
        value = read(inspection, expected_value)
        if plain(value) != plain(expected_value):
            yield Deviation(
                urn=change.urn,
                kind="engine",
                path=key,
                promised=shortened(expected_value),
                happened=shortened(value),
            )


def plain(value: Any) -> Any:
    """Lists of texts without their order, which the engine does not keep."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return sorted(value)
    return value


def inspect(client: Any, kind: str, name: str) -> Inspection | None:
    """`docker inspect` of an object by its name, None when there is none."""
    from docker.errors import NotFound

    look = {
        CONTAINER: client.inspect_container,
        NETWORK: client.inspect_network,
        VOLUME: client.inspect_volume,
    }
    try:
        inspection: Inspection = look[kind](name)
    except NotFound:
        return None
    return inspection
