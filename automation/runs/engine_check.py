"""What the engine really has of what a run has just changed, property by property: plugins are not believed.

The official plugin says `updated` for some changes that the engine never hears of (docs/truth.md).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from automation.runs.deviations import UNKNOWN, Untruth, shown
from automation.runs.drift import CONTAINER, NETWORK, VOLUME
from automation.runs.plan import SECRET, Change

MIB = 1024 * 1024
Told = Mapping[str, Any]
# How to read from `docker inspect` what an input of that name has led to, in the input's own terms.
Reading = Callable[[Told, Any], Any]


def environment(told: Told, wanted: Any) -> Any:
    """Those of the wanted variables that it has; an image may bring more."""
    return sorted(set(told["Config"]["Env"] or ()) & set(wanted))


def labels(told: Told, wanted: Any) -> Any:
    """Those of the wanted labels that it has; an image may bring more."""
    found = (told["Config"]["Labels"] if "Config" in told else told["Labels"]) or {}
    return [each for each in wanted if found.get(each["label"]) == each["value"]]


def networks(told: Told, wanted: Any) -> Any:
    """The networks that it is in, with those of the wanted aliases that it answers to."""
    found = told["NetworkSettings"]["Networks"]
    return [
        {
            **each,
            "aliases": [
                one for one in each.get("aliases") or [] if one in (found[each["name"]]["Aliases"] or ())
            ],
        }
        for each in wanted
        if each["name"] in found
    ]


def ports(told: Told, wanted: Any) -> Any:
    """Those of the wanted ports that it publishes."""
    bound = told["HostConfig"]["PortBindings"] or {}
    return [
        each
        for each in wanted
        if {"HostIp": each.get("ip", "0.0.0.0"), "HostPort": str(int(each["external"]))}  # noqa: S104 (the engine's word)
        in (bound.get(f"{int(each['internal'])}/{each.get('protocol', 'tcp')}") or ())
    ]


def volumes(told: Told, wanted: Any) -> Any:
    """Those of the wanted volumes and bind mounts that it has at their places."""
    found = {(each["Destination"], each.get("Name") or each["Source"]): each["RW"] for each in told["Mounts"]}
    return [
        each
        for each in wanted
        if found.get((each["containerPath"], each.get("volumeName") or each.get("hostPath")))
        is (not each.get("readOnly", False))
    ]


def probe(told: Told, wanted: Any) -> Any:
    """The health probe's words, the rest as wanted: its times are told in other units."""
    return {**wanted, "tests": (told["Config"].get("Healthcheck") or {}).get("Test")}


def capabilities(told: Told, wanted: Any) -> Any:
    """What it may and may not, in the program's spelling."""
    added = {f"CAP_{each.removeprefix('CAP_')}" for each in told["HostConfig"]["CapAdd"] or ()}
    return {
        key: [each for each in listed if each in added] if key == "adds" else told["HostConfig"]["CapDrop"]
        for key, listed in wanted.items()
    }


READINGS: Mapping[str, Mapping[str, Reading]] = {
    CONTAINER: {
        "capabilities": capabilities,
        "command": lambda told, _: told["Config"]["Cmd"],
        "envs": environment,
        "healthcheck": probe,
        "image": lambda told, _: told["Config"]["Image"],
        "labels": labels,
        "logOpts": lambda told, _: told["HostConfig"]["LogConfig"]["Config"],
        "cpuShares": lambda told, _: told["HostConfig"]["CpuShares"],
        "memory": lambda told, _: told["HostConfig"]["Memory"] / MIB,
        "memorySwap": lambda told, _: told["HostConfig"]["MemorySwap"] / MIB,
        "networksAdvanced": networks,
        "ports": ports,
        "restart": lambda told, _: told["HostConfig"]["RestartPolicy"]["Name"],
        "securityOpts": lambda told, _: told["HostConfig"]["SecurityOpt"],
        "stopTimeout": lambda told, _: told["Config"]["StopTimeout"],
        "tmpfs": lambda told, _: told["HostConfig"]["Tmpfs"],
        "user": lambda told, _: told["Config"]["User"],
        "volumes": volumes,
    },
    NETWORK: {
        "internal": lambda told, _: told["Internal"],
        "ipamConfigs": lambda told, _: [
            {"gateway": each.get("Gateway"), "subnet": each["Subnet"]} for each in told["IPAM"]["Config"]
        ],
        "labels": labels,
        "options": lambda told, _: told["Options"],
    },
    VOLUME: {"driverOpts": lambda told, _: told["Options"], "labels": labels},
}


def compare(client: Any, changes: Iterable[Change]) -> tuple[Untruth, ...]:
    """Every property of the changed resources that the engine has otherwise than the run has sent it."""
    return tuple(one for each in changes if each.type in READINGS for one in differs(client, each))


def differs(client: Any, change: Change) -> Iterator[Untruth]:
    """One resource's differences; what is deleted must not be there."""
    gone = change.op == "delete"
    name = str((change.before if gone else change.after).get("name"))
    told = inspected(client, change.type, name)
    if gone or told is None:
        if gone is not (told is None):
            yield Untruth(
                urn=change.urn,
                kind="engine",
                promised=f"no {name}" if gone else name,
                happened=f"{name} still" if gone else "none",
            )
        return
    yield from otherwise(change, told)


def otherwise(change: Change, told: Told) -> Iterator[Untruth]:
    """The properties that `docker inspect` tells otherwise."""
    for key, read in READINGS[change.type].items():
        wanted = change.after.get(key)
        if wanted is None or wanted == SECRET or any(each in str(wanted) for each in UNKNOWN):
            continue
        found = read(told, wanted)
        if plain(found) != plain(wanted):
            yield Untruth(
                urn=change.urn, kind="engine", path=key, promised=shown(wanted), happened=shown(found)
            )


def plain(value: Any) -> Any:
    """Lists of texts without their order, which the engine does not keep."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return sorted(value)
    return value


def inspected(client: Any, kind: str, name: str) -> Told | None:
    """`docker inspect` of an object by its name, None when there is none."""
    from docker.errors import NotFound

    look = {
        CONTAINER: client.inspect_container,
        NETWORK: client.inspect_network,
        VOLUME: client.inspect_volume,
    }
    try:
        told: Told = look[kind](name)
    except NotFound:
        return None
    return told
