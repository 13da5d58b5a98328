"""The inputs that would have made a container that is there already. Pure."""

from collections.abc import Mapping
from typing import Any

from plugins.docker.container.durations import duration
from plugins.docker.container.outputs import ENGINE_MEBIBYTES
from plugins.docker.container.request import ANY_ADDRESS, LITERALS, MIB
from plugins.resource import State

CHOSEN_BY_ENGINE = {"hostname", "runtime", "ipcMode", "cgroupnsMode", "image"}
"""Settings that have a value even where nobody asked for one."""


def imported(inspection: Mapping[str, Any], image: Mapping[str, Any]) -> State:
    """Return the inputs of the container inspected as `seen`, made from the image inspected as `image`."""
    config, host, of_image = inspection["Config"], inspection["HostConfig"], image.get("Config") or {}
    inputs: State = {"image": config["Image"], "name": inspection["Name"].lstrip("/")}
    for name, section, key in LITERALS:
        value = inspection[section].get(key)
        inherited = section == "Config" and value == of_image.get(key)
        if value and not inherited and name not in CHOSEN_BY_ENGINE:
            inputs[name] = value
    if config["Hostname"] and not inspection["Id"].startswith(config["Hostname"]):
        inputs["hostname"] = config["Hostname"]
    for name, key in ENGINE_MEBIBYTES:
        if host.get(key) and (name, host[key]) != ("shmSize", 64 * MIB):
            inputs[name] = host[key] // MIB if host[key] > 0 else host[key]
    inputs.update(_policies(host))
    inputs.update(_environment(config, of_image))
    inputs.update(_networks(inspection))
    inputs.update(_storage(host))
    return {name: value for name, value in inputs.items() if value}


def _policies(host: Mapping[str, Any]) -> State:
    restart, log = host["RestartPolicy"], host["LogConfig"]
    inputs: State = {
        "maxRetryCount": restart["MaximumRetryCount"],
        "init": bool(host.get("Init")),
        "logOpts": log["Config"],
        "hosts": [
            {"host": each.partition(":")[0], "ip": each.partition(":")[2]}
            for each in host["ExtraHosts"] or ()
        ],
        "ulimits": [
            {"name": each["Name"], "soft": each["Soft"], "hard": each["Hard"]}
            for each in host.get("Ulimits") or ()
        ],
    }
    if restart["Name"] not in ("", "no"):
        inputs["restart"] = restart["Name"]
    if log["Config"] or log["Type"] != "json-file":
        inputs["logDriver"] = log["Type"]
    if host.get("NanoCpus"):
        inputs["cpus"] = f"{host['NanoCpus'] / 10**9:g}"
    capabilities = {"adds": host["CapAdd"], "drops": host["CapDrop"]}
    inputs["capabilities"] = {key: value for key, value in capabilities.items() if value}
    return inputs


def _environment(config: Mapping[str, Any], of_image: Mapping[str, Any]) -> State:
    inherited = set(of_image.get("Env") or ())
    labels, marks = config.get("Labels") or {}, of_image.get("Labels") or {}
    inputs: State = {
        "envs": [
            each for each in config["Env"] or () if each not in inherited and not each.startswith("PATH=")
        ],
        "labels": [
            {"label": key, "value": value} for key, value in sorted(labels.items()) if marks.get(key) != value
        ],
    }
    check = config.get("Healthcheck")
    if check and check != of_image.get("Healthcheck"):
        times = {"interval": "Interval", "timeout": "Timeout", "startPeriod": "StartPeriod"}
        inputs["healthcheck"] = {
            "tests": check.get("Test"),
            **{name: duration(check[key]) for name, key in times.items() if check.get(key)},
            **({"retries": check["Retries"]} if check.get("Retries") else {}),
        }
    return inputs


def _networks(inspection: Mapping[str, Any]) -> State:
    # The engine adds the short id and the host name to the aliases by itself.
    host, own = inspection["HostConfig"], (inspection["Id"][:12], inspection["Config"]["Hostname"])
    inputs: State = {"ports": _ports(host.get("PortBindings") or {})}
    if host["NetworkMode"] not in ("", "default", "bridge"):
        inputs["networkMode"] = host["NetworkMode"]
    inputs["networksAdvanced"] = [
        {
            "name": name,
            **_if_set("aliases", [alias for alias in each["Aliases"] or () if alias not in own]),
            **_if_set("ipv4Address", (each["IPAMConfig"] or {}).get("IPv4Address")),
            **_if_set("ipv6Address", (each["IPAMConfig"] or {}).get("IPv6Address")),
        }
        for name, each in sorted(inspection["NetworkSettings"]["Networks"].items())
        if name not in ("bridge", "host", "none", host["NetworkMode"])
    ]
    return inputs


def _ports(bindings: Mapping[str, Any]) -> list[State]:
    return [
        {
            "internal": int(port.partition("/")[0]),
            **_if_set("external", int(each["HostPort"] or 0)),
            **_if_set("ip", "" if each["HostIp"] in ("", ANY_ADDRESS) else each["HostIp"]),
            **_if_set("protocol", "" if port.endswith("/tcp") else port.partition("/")[2]),
        }
        for port, bound in sorted(bindings.items())
        for each in bound
    ]


def _storage(host: Mapping[str, Any]) -> State:
    return {"volumes": [_bind(each) for each in host["Binds"] or ()]}


def _bind(text: str) -> State:
    source, _, rest = text.partition(":")
    path, _, mode = rest.partition(":")
    inputs: State = {"containerPath": path, "hostPath" if source.startswith("/") else "volumeName": source}
    return {**inputs, **({"readOnly": True} if "ro" in mode.split(",") else {})}


def _if_set(name: str, value: Any) -> State:
    return {name: value} if value else {}
