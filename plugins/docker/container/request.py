"""What a container asks of the engine: inputs as the body of the create call. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from plugins.docker.container.durations import nanoseconds
from plugins.values import Plain

MIB = 1024 * 1024

ANY_ADDRESS = "0.0.0.0"  # noqa: S104
"""Where a port is published that says no address, as the official plugin has it."""

Inputs = Mapping[str, Plain]
Body = dict[str, Any]

LITERALS = (
    # input, section of the body, key there
    ("image", "Config", "Image"),
    ("hostname", "Config", "Hostname"),
    ("domainname", "Config", "Domainname"),
    ("user", "Config", "User"),
    ("workingDir", "Config", "WorkingDir"),
    ("tty", "Config", "Tty"),
    ("stdinOpen", "Config", "OpenStdin"),
    ("command", "Config", "Cmd"),
    ("entrypoints", "Config", "Entrypoint"),
    ("stopSignal", "Config", "StopSignal"),
    ("stopTimeout", "Config", "StopTimeout"),
    ("privileged", "HostConfig", "Privileged"),
    ("publishAllPorts", "HostConfig", "PublishAllPorts"),
    ("readOnly", "HostConfig", "ReadonlyRootfs"),
    ("rm", "HostConfig", "AutoRemove"),
    ("runtime", "HostConfig", "Runtime"),
    ("cgroupParent", "HostConfig", "CgroupParent"),
    ("cgroupnsMode", "HostConfig", "CgroupnsMode"),
    ("cpuSet", "HostConfig", "CpusetCpus"),
    ("cpuShares", "HostConfig", "CpuShares"),
    ("ipcMode", "HostConfig", "IpcMode"),
    ("pidMode", "HostConfig", "PidMode"),
    ("usernsMode", "HostConfig", "UsernsMode"),
    ("storageOpts", "HostConfig", "StorageOpt"),
    ("sysctls", "HostConfig", "Sysctls"),
    ("tmpfs", "HostConfig", "Tmpfs"),
    ("dns", "HostConfig", "Dns"),
    ("dnsOpts", "HostConfig", "DnsOptions"),
    ("dnsSearches", "HostConfig", "DnsSearch"),
    ("groupAdds", "HostConfig", "GroupAdd"),
    ("securityOpts", "HostConfig", "SecurityOpt"),
)
"""Inputs that the engine takes as they are."""

MEBIBYTES = (
    ("memory", "Memory"),
    ("memoryReservation", "MemoryReservation"),
    ("memorySwap", "MemorySwap"),
    ("shmSize", "ShmSize"),
)
"""Inputs in MiB that the engine takes in bytes."""

RATES = (
    ("deviceReadBps", "BlkioDeviceReadBps"),
    ("deviceReadIops", "BlkioDeviceReadIOps"),
    ("deviceWriteBps", "BlkioDeviceWriteBps"),
    ("deviceWriteIops", "BlkioDeviceWriteIOps"),
)


def create_body(inputs: Inputs) -> Body:
    """Return the body of the engine's create call."""
    sections: dict[str, Body] = {"Config": {}, "HostConfig": _host_config(inputs)}
    for name, section, key in LITERALS:
        if inputs.get(name):
            sections[section][key] = inputs[name]
    config = sections["Config"]
    if inputs.get("envs"):
        config["Env"] = sorted(inputs["envs"])
    if inputs.get("labels"):
        config["Labels"] = {each["label"]: each["value"] for each in inputs["labels"]}
    if inputs.get("healthcheck"):
        config["Healthcheck"] = healthcheck(inputs["healthcheck"])
    if inputs.get("ports"):
        config["ExposedPorts"] = {_port(each): {} for each in inputs["ports"]}
    anonymous: Body = {
        each["containerPath"]: {} for each in inputs.get("volumes", ()) if each.get("containerPath")
    }
    if anonymous:
        config["Volumes"] = anonymous
    return {**config, "HostConfig": sections["HostConfig"]}


def _host_config(inputs: Inputs) -> Body:
    host: Body = {
        "NetworkMode": inputs.get("networkMode", "bridge"),
        "Init": inputs.get("init", False),
        "RestartPolicy": restart_policy(inputs),
        "LogConfig": {"Type": inputs.get("logDriver", ""), "Config": inputs.get("logOpts") or {}},
    }
    for name, key in MEBIBYTES:
        if inputs.get(name):
            host[key] = mebibytes(inputs[name])
    for name, key in RATES:
        if inputs.get(name):
            host[key] = [{"Path": each["path"], "Rate": each["rate"]} for each in inputs[name]]
    host.update(cpu_limits(inputs))
    _add_devices(inputs, host)
    _add_storage(inputs, host)
    capabilities = inputs.get("capabilities") or {}
    host["CapAdd"] = [capability(each) for each in capabilities.get("adds") or ()] or None
    host["CapDrop"] = [capability(each) for each in capabilities.get("drops") or ()] or None
    if inputs.get("hosts"):
        host["ExtraHosts"] = [f"{each['host']}:{each['ip']}" for each in inputs["hosts"]]
    if inputs.get("ulimits"):
        host["Ulimits"] = [
            {"Name": each["name"], "Soft": each["soft"], "Hard": each["hard"]} for each in inputs["ulimits"]
        ]
    if inputs.get("ports"):
        host["PortBindings"] = port_bindings(inputs["ports"])
    return host


def _add_devices(inputs: Inputs, host: Body) -> None:
    if inputs.get("devices"):
        host["Devices"] = [
            {
                "PathOnHost": each["hostPath"],
                "PathInContainer": each.get("containerPath") or each["hostPath"],
                "CgroupPermissions": each.get("permissions") or "rwm",
            }
            for each in inputs["devices"]
        ]
    requests = [
        {
            "Driver": each.get("driver", ""),
            "Count": each.get("count", 0),
            "DeviceIDs": each.get("deviceIds"),
            "Capabilities": [each.get("capabilities") or []],
            "Options": each.get("options") or {},
        }
        for each in inputs.get("deviceRequests") or ()
    ]
    if inputs.get("gpus"):
        requests.append({"Driver": "", "Count": -1, "Capabilities": [["gpu"]]})
    if requests:
        host["DeviceRequests"] = requests


def _add_storage(inputs: Inputs, host: Body) -> None:
    volumes = inputs.get("volumes") or ()
    binds = [_bind(each) for each in volumes if each.get("volumeName") or each.get("hostPath")]
    if binds:
        host["Binds"] = binds
    taken = [
        each["fromContainer"] + (":ro" if each.get("readOnly") else "")
        for each in volumes
        if each.get("fromContainer")
    ]
    if taken:
        host["VolumesFrom"] = taken
    if inputs.get("mounts"):
        host["Mounts"] = [_mount(each) for each in inputs["mounts"]]


def _bind(volume: Inputs) -> str:
    source = volume.get("volumeName") or volume["hostPath"]
    mode = "ro" if volume.get("readOnly") else "rw"
    relabel = f",{volume['selinuxRelabel']}" if volume.get("selinuxRelabel") else ""
    return f"{source}:{volume['containerPath']}:{mode}{relabel}"


def _mount(mount: Inputs) -> Body:
    body: Body = {"Type": mount["type"], "Target": mount["target"], "Source": mount.get("source", "")}
    if mount.get("readOnly"):
        body["ReadOnly"] = True
    if mount.get("bindOptions"):
        body["BindOptions"] = {"Propagation": mount["bindOptions"].get("propagation", "")}
    if mount.get("tmpfsOptions"):
        options = mount["tmpfsOptions"]
        body["TmpfsOptions"] = {"SizeBytes": options.get("sizeBytes", 0), "Mode": options.get("mode", 0)}
    if mount.get("volumeOptions"):
        body["VolumeOptions"] = _volume_options(mount["volumeOptions"])
    return body


def _volume_options(options: Inputs) -> Body:
    body: Body = {
        "NoCopy": options.get("noCopy", False),
        "Labels": {each["label"]: each["value"] for each in options.get("labels") or ()},
    }
    if options.get("driverName") or options.get("driverOptions"):
        body["DriverConfig"] = {
            "Name": options.get("driverName", ""),
            "Options": options.get("driverOptions") or {},
        }
    if options.get("subpath"):
        body["Subpath"] = options["subpath"]
    return body


def healthcheck(check: Inputs) -> Body:
    """Return a healthcheck as the engine takes it; what is 0 is left to the engine."""
    body: Body = {
        "Test": check.get("tests"),
        "Interval": nanoseconds(check.get("interval", "0s")),
        "Timeout": nanoseconds(check.get("timeout", "0s")),
        "StartPeriod": nanoseconds(check.get("startPeriod", "0s")),
        "StartInterval": nanoseconds(check.get("startInterval", "0s")),
        "Retries": check.get("retries", 0),
    }
    return {key: value for key, value in body.items() if value}


def restart_policy(inputs: Inputs) -> Body:
    """Return the restart policy as the engine takes it."""
    return {"Name": inputs.get("restart", "no"), "MaximumRetryCount": inputs.get("maxRetryCount", 0)}


def cpu_limits(inputs: Inputs) -> Body:
    """Return the CPU limits; `cpus` has precedence over period and quota."""
    if inputs.get("cpus"):
        return {"NanoCpus": round(float(inputs["cpus"]) * 10**9)}
    limits = {"CpuPeriod": inputs.get("cpuPeriod"), "CpuQuota": inputs.get("cpuQuota")}
    return {key: value for key, value in limits.items() if value}


def capability(name: str) -> str:
    """Return a capability's full name: NET_BIND_SERVICE is CAP_NET_BIND_SERVICE, and ALL is ALL."""
    name = name.upper()
    return name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}"


def mebibytes(size: int) -> int:
    """Return MiB as bytes; -1, unlimited, stays."""
    return size * MIB if size > 0 else size


def _port(port: Inputs) -> str:
    return f"{port['internal']}/{port.get('protocol', 'tcp')}"


def port_bindings(ports: list[Inputs]) -> Body:
    """Return the published ports as the engine takes them; port 0 lets it choose."""
    bindings: Body = {}
    for each in ports:
        binding = {"HostIp": each.get("ip") or ANY_ADDRESS, "HostPort": str(each.get("external", 0))}
        bindings.setdefault(_port(each), []).append(binding)
    return bindings


def endpoint(network: Inputs) -> Body:
    """Return a network's endpoint settings as the engine takes them."""
    addresses = {
        "IPv4Address": network.get("ipv4Address"),
        "IPv6Address": network.get("ipv6Address"),
        "LinkLocalIPs": network.get("linkLocalIps"),
    }
    body: Body = {
        "IPAMConfig": {key: value for key, value in addresses.items() if value},
        "Aliases": network.get("aliases") or None,
    }
    if network.get("macAddress"):
        body["MacAddress"] = network["macAddress"]
    if network.get("gwPriority"):
        body["GwPriority"] = network["gwPriority"]
    if network.get("driverOpts"):
        body["DriverOpts"] = dict(each.split("=", 1) for each in network["driverOpts"])
    return body


def is_id(name: str) -> bool:
    """Tell whether a network is named by its id."""
    return re.fullmatch(r"[0-9a-f]{64}", name) is not None


UPDATED = (
    ("cpuShares", "cpu_shares"),
    ("cpuSet", "cpuset_cpus"),
    ("cpuPeriod", "cpu_period"),
    ("cpuQuota", "cpu_quota"),
)
"""Inputs that docker-py's update_container takes as they are, by its own names."""

UPDATED_MEBIBYTES = (
    ("memory", "mem_limit"),
    ("memoryReservation", "mem_reservation"),
    ("memorySwap", "memswap_limit"),
)


def update_arguments(old: Inputs, new: Inputs) -> Body:
    """Return what the engine's update call must change; empty where nothing concerns the engine."""
    names = [name for name, _ in (*UPDATED, *UPDATED_MEBIBYTES)]
    arguments: Body = {}
    if any((old.get(name) or None) != (new.get(name) or None) for name in names):
        arguments = {key: new[name] for name, key in UPDATED if new.get(name)}
        arguments |= {key: mebibytes(new[name]) for name, key in UPDATED_MEBIBYTES if new.get(name)}
    if restart_policy(old) != restart_policy(new):
        arguments["restart_policy"] = restart_policy(new)
    return arguments
