"""What goes into the state of a container: its inputs with defaults, and what the engine says of it. Pure."""

from collections.abc import Mapping
from typing import Any

from plugins.docker.container.request import ANY_ADDRESS, MIB
from plugins.resource import State
from plugins.values import UNKNOWN, Plain

Inputs = Mapping[str, Plain]

PLAIN = {
    "attach": False,
    "cgroupParent": None,
    "cgroupnsMode": None,
    "containerReadRefreshTimeoutMilliseconds": 15000,
    "cpuPeriod": None,
    "cpuQuota": None,
    "cpus": None,
    "destroyGraceSeconds": None,
    "gpus": None,
    "image": None,
    "logs": False,
    "mustRun": True,
    "pidMode": None,
    "removeVolumes": True,
    "rm": False,
    "start": True,
    "storageOpts": None,
    "sysctls": None,
    "tmpfs": None,
    "wait": False,
    "waitTimeout": 60,
    "logOpts": None,
}
"""Outputs that are the inputs, with these defaults."""

SETS_OR_NULL = ("dns", "dnsOpts", "dnsSearches", "groupAdds")
SETS = ("envs", "securityOpts")

RECORDS: dict[str, State] = {
    "deviceReadBps": {},
    "deviceReadIops": {},
    "deviceWriteBps": {},
    "deviceWriteIops": {},
    "deviceRequests": {"capabilities": [], "count": None, "deviceIds": [], "driver": "", "options": None},
    "devices": {"containerPath": "", "permissions": ""},
    "hosts": {},
    "labels": {},
    "mounts": {
        "bindOptions": None,
        "readOnly": None,
        "source": "",
        "tmpfsOptions": None,
        "volumeOptions": None,
    },
    "networksAdvanced": {
        "aliases": [],
        "driverOpts": [],
        "gwPriority": None,
        "ipv4Address": "",
        "ipv6Address": "",
        "linkLocalIps": [],
        "macAddress": "",
    },
    "ulimits": {},
    "uploads": {
        "content": "",
        "contentBase64": "",
        "executable": False,
        "permissions": "",
        "source": "",
        "sourceHash": "",
    },
    "volumes": {
        "containerPath": "",
        "fromContainer": "",
        "hostPath": "",
        "readOnly": None,
        "selinuxRelabel": "",
        "volumeName": "",
    },
}
"""Outputs that are lists of mappings, with the defaults of one."""

HEALTHCHECK = {"interval": "0s", "retries": 0, "startInterval": "0s", "startPeriod": "0s", "timeout": "0s"}
TMPFS_OPTIONS = {"mode": None, "sizeBytes": None}

ENGINES: tuple[tuple[str, str, str, Plain], ...] = (
    # output, section of the inspection, key there, value for none
    ("domainname", "Config", "Domainname", ""),
    ("hostname", "Config", "Hostname", ""),
    ("stdinOpen", "Config", "OpenStdin", False),
    ("stopSignal", "Config", "StopSignal", ""),
    ("stopTimeout", "Config", "StopTimeout", 0),
    ("tty", "Config", "Tty", False),
    ("user", "Config", "User", ""),
    ("workingDir", "Config", "WorkingDir", ""),
    ("command", "Config", "Cmd", []),
    ("entrypoints", "Config", "Entrypoint", []),
    ("cpuSet", "HostConfig", "CpusetCpus", ""),
    ("cpuShares", "HostConfig", "CpuShares", 0),
    ("init", "HostConfig", "Init", False),
    ("ipcMode", "HostConfig", "IpcMode", ""),
    ("networkMode", "HostConfig", "NetworkMode", ""),
    ("privileged", "HostConfig", "Privileged", False),
    ("publishAllPorts", "HostConfig", "PublishAllPorts", False),
    ("readOnly", "HostConfig", "ReadonlyRootfs", False),
    ("runtime", "HostConfig", "Runtime", ""),
    ("usernsMode", "HostConfig", "UsernsMode", ""),
)
"""Outputs that are what the engine says, whether it was asked for or is its own choice."""

ENGINE_MEBIBYTES = (
    ("memory", "Memory"),
    ("memoryReservation", "MemoryReservation"),
    ("memorySwap", "MemorySwap"),
    ("shmSize", "ShmSize"),
)


def planned(inputs: Inputs) -> State:
    """Return what is known of a container before it is made."""
    unknown = [name for name, *_ in (*ENGINES, *ENGINE_MEBIBYTES)]
    unknown += ["bridge", "containerLogs", "exitCode", "networkDatas", "platform", "logDriver"]
    known = {name: inputs[name] for name in unknown if name in inputs}
    return {
        **dict.fromkeys(unknown, UNKNOWN),
        **known,
        **_state_of_inputs(inputs),
        "name": inputs.get("name"),
        "ports": ports(inputs.get("ports"), {}),
        "restart": inputs.get("restart", "no"),
        "maxRetryCount": inputs.get("maxRetryCount", 0),
    }


def outputs(inputs: Inputs, inspection: Mapping[str, Any], logs: str | None) -> State:
    """Return the state of a container made from `inputs` and inspected as `seen`."""
    host, settings = inspection["HostConfig"], inspection["NetworkSettings"]
    engine = {name: inspection[section].get(key) or none for name, section, key, none in ENGINES}
    sizes = {name: _mebibytes(host.get(key) or 0) for name, key in ENGINE_MEBIBYTES}
    running = is_running(inspection)
    return {
        **_state_of_inputs(inputs),
        **engine,
        **sizes,
        "id": inspection["Id"],
        "name": inspection["Name"].lstrip("/"),
        "bridge": settings.get("Bridge", ""),
        "containerLogs": logs,
        "exitCode": None if running else inspection["State"]["ExitCode"],
        "logDriver": host["LogConfig"]["Type"],
        "maxRetryCount": host["RestartPolicy"]["MaximumRetryCount"],
        "mustRun": inputs.get("mustRun", True) and running,
        "networkDatas": network_datas(settings.get("Networks") or {}),
        "platform": inspection.get("Platform", "linux"),
        "ports": ports(inputs.get("ports"), settings.get("Ports") or {}),
        "restart": host["RestartPolicy"]["Name"] or "no",
    }


def is_running(inspection: Mapping[str, Any]) -> bool:
    """Tell whether the engine keeps the container up; one it restarts counts."""
    return bool(inspection["State"]["Running"] or inspection["State"].get("Restarting"))


def _state_of_inputs(inputs: Inputs) -> State:
    properties: State = {name: inputs.get(name, default) for name, default in PLAIN.items()}
    for name in SETS_OR_NULL:
        properties[name] = sorted_or(inputs.get(name), None)
    for name in SETS:
        properties[name] = sorted_or(inputs.get(name), [])
    for name, defaults in RECORDS.items():
        properties[name] = _records(inputs.get(name), defaults)
    properties["labels"] = sorted_or(properties["labels"], [])
    properties["capabilities"] = _capabilities(inputs.get("capabilities"))
    check = inputs.get("healthcheck")
    properties["healthcheck"] = {**HEALTHCHECK, **check} if isinstance(check, Mapping) else check
    return properties


def sorted_or(data: Plain, none: Plain) -> Plain:
    """Return a list sorted, whatever it holds; `none` where there is none."""
    if data is UNKNOWN:
        return data
    return sorted(data, key=repr) if data else none


def _records(data: Plain, defaults: State) -> Plain:
    if not isinstance(data, list):
        return data or []
    filled = [{**defaults, **each} if isinstance(each, Mapping) else each for each in data]
    for each in filled:
        if isinstance(each, dict) and isinstance(each.get("tmpfsOptions"), Mapping):
            each["tmpfsOptions"] = {**TMPFS_OPTIONS, **each["tmpfsOptions"]}
    return filled


def _capabilities(data: Plain) -> Plain:
    if not isinstance(data, Mapping):
        return data
    return {"adds": sorted_or(data.get("adds"), []), "drops": sorted_or(data.get("drops"), [])}


def ports(data: Plain, published: Mapping[str, Any]) -> Plain:
    """Return the published ports; one that the engine chose is read from what it `published`."""
    if not isinstance(data, list):
        return data or []
    filled = [
        {"external": None, "ip": ANY_ADDRESS, "protocol": "tcp", **each}
        if isinstance(each, Mapping)
        else each
        for each in data
    ]
    for each in filled:
        if isinstance(each, dict) and not each["external"]:
            bound = published.get(f"{each['internal']}/{each['protocol']}") or []
            chosen = next((one["HostPort"] for one in bound if one["HostIp"] == each["ip"]), None)
            each["external"] = int(chosen) if chosen else UNKNOWN if not published else None
    return sorted(filled, key=lambda each: repr(each["internal"]).zfill(12) if isinstance(each, dict) else "")


def network_datas(networks: Mapping[str, Any]) -> list[State]:
    """Return a container's addresses, a network each."""
    return [
        {
            "networkName": name,
            "gateway": each["Gateway"],
            "globalIpv6Address": each["GlobalIPv6Address"],
            "globalIpv6PrefixLength": each["GlobalIPv6PrefixLen"],
            "ipAddress": each["IPAddress"],
            "ipPrefixLength": each["IPPrefixLen"],
            "ipv6Gateway": each["IPv6Gateway"],
            "macAddress": each["MacAddress"],
        }
        for name, each in sorted(networks.items())
    ]


def _mebibytes(size: int) -> int:
    return size // MIB if size > 0 else size
