"""A portal's recorded resources as a Compose file that makes the very same containers, networks and volumes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from config.portal.resource_types import CONTAINER, NETWORK, VOLUME

# How Pulumi marks a secret in `stack export --show-secrets`.
SECRET_MARK = "4dabf18193072939515e22adb298388d"
# Labels that Compose writes itself.
COMPOSE_LABEL = "com.docker.compose."
# What a container's inputs may hold; another one means that this file has to learn it.
KNOWN = frozenset(
    {
        "attach",
        "capabilities",
        "command",
        "destroyGraceSeconds",
        "entrypoints",
        "envs",
        "healthcheck",
        "hostname",
        "image",
        "labels",
        "logDriver",
        "logOpts",
        "logs",
        "cpuShares",
        "memory",
        "memorySwap",
        "mounts",
        "mustRun",
        "name",
        "networkMode",
        "networksAdvanced",
        "ports",
        "restart",
        "securityOpts",
        "stopTimeout",
        "tmpfs",
        "ulimits",
        "uploads",
        "user",
        "volumes",
        "wait",
        "waitTimeout",
    }
)


class UnknownInput(Exception):
    """The program uses an input that this module cannot write as Compose."""


def resources(exported: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The resources of `pulumi stack export --show-secrets`, secrets in plain."""
    return [plain(each) for each in exported["deployment"]["resources"]]


def plain(value: Any) -> Any:
    """A value without the marks of secrets and defaults."""
    if isinstance(value, dict):
        if SECRET_MARK in value:
            return plain(json.loads(value["plaintext"]))
        return {key: plain(each) for key, each in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value


def compose_file(all_resources: Sequence[Mapping[str, Any]], project: str) -> dict[str, Any]:
    """The Compose file of a portal. Raises UnknownInput."""
    containers = {each["urn"]: each for each in all_resources if each["type"] == CONTAINER}
    made: dict[str, Any] = {
        "name": project,
        "services": {},
        "configs": {},
        "networks": {
            each["inputs"]["name"]: network(each["inputs"])
            for each in all_resources
            if each["type"] == NETWORK
        },
        "volumes": {
            each["inputs"]["name"]: volume(each["inputs"]) for each in all_resources if each["type"] == VOLUME
        },
    }
    for urn, each in containers.items():
        name = service_name(urn)
        unknown = each["inputs"].keys() - KNOWN
        if unknown:
            raise UnknownInput(f"{name}: composefile.py does not know {', '.join(sorted(unknown))}")
        made["services"][name] = service(each["inputs"], depends_on(each, containers), name)
        for index, upload in enumerate(each["inputs"].get("uploads") or []):
            made["configs"][f"{name}-{index}"] = {"content": escape(upload["content"])}
    return made


def service_name(urn: str) -> str:
    """The last part of a URN: `lms`."""
    return urn.rpartition("::")[2]


def depends_on(
    container: Mapping[str, Any], containers: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, str]]:
    """Compose's `depends_on` of a container: services until they are healthy, jobs until they have succeeded."""
    return {
        service_name(urn): {
            "condition": "service_completed_successfully"
            if containers[urn]["inputs"].get("attach")
            else "service_healthy"
        }
        for urn in sorted(container.get("dependencies") or [])
        if urn in containers
    }


def service(inputs: Mapping[str, Any], after: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One container's inputs as a Compose service."""
    made: dict[str, Any] = {
        "container_name": inputs["name"],
        "image": inputs["image"],
        "pull_policy": "never",
        "command": escape(inputs.get("command")),
        "entrypoint": escape(inputs.get("entrypoints")),
        "hostname": inputs.get("hostname"),
        "user": inputs.get("user"),
        "environment": escape(inputs.get("envs")),
        "labels": labels(inputs),
        # Files without a source on the host are copied into the container before its start, as our uploads are.
        "configs": [
            {
                "source": f"{name}-{index}",
                "target": each["file"],
                # No owner: with one, Compose lets the engine give the file to the container's user.
                "mode": int(each["permissions"], 8),
            }
            for index, each in enumerate(inputs.get("uploads") or [])
        ],
        "volumes": [
            *(named_or_host(each) for each in inputs.get("volumes") or []),
            *(bind_mount(each["source"], each["target"], each, False) for each in inputs.get("mounts") or []),
        ],
        "tmpfs": [f"{path}:{options}" for path, options in sorted((inputs.get("tmpfs") or {}).items())],
        "cpu_shares": inputs.get("cpuShares"),
        "mem_limit": mebibytes(inputs.get("memory")),
        "memswap_limit": mebibytes(inputs.get("memorySwap")),
        "logging": {"driver": inputs["logDriver"], "options": inputs["logOpts"]},
        "security_opt": inputs.get("securityOpts"),
        "cap_add": inputs["capabilities"].get("adds"),
        "cap_drop": inputs["capabilities"].get("drops"),
        "ulimits": {
            each["name"]: {"soft": int(each["soft"]), "hard": int(each["hard"])}
            for each in inputs.get("ulimits") or []
        },
        "stop_grace_period": f"{int(inputs['stopTimeout'])}s",
        "restart": inputs["restart"],
        "healthcheck": healthcheck(inputs.get("healthcheck")),
        "ports": [
            {
                "target": int(each["internal"]),
                "published": str(int(each["external"])),
                "host_ip": each["ip"],
                "protocol": each.get("protocol") or "tcp",
            }
            for each in inputs.get("ports") or []
        ],
        "depends_on": dict(after),
    }
    if inputs["networkMode"] == "none":
        made["network_mode"] = "none"
    else:
        made["networks"] = {
            each["name"]: {"aliases": each.get("aliases") or []} for each in inputs["networksAdvanced"]
        }
    return {key: value for key, value in made.items() if value not in (None, [], {})}


def healthcheck(inputs: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A health check in Compose's format."""
    if not inputs:
        return None
    return {
        "test": escape(inputs["tests"]),
        "interval": inputs["interval"],
        "timeout": inputs["timeout"],
        "start_period": inputs["startPeriod"],
        "retries": int(inputs["retries"]),
    }


def named_or_host(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """A volume by its name, or a host's path that the engine makes when it is absent."""
    if inputs.get("volumeName"):
        return {
            "type": "volume",
            "source": inputs["volumeName"],
            "target": inputs["containerPath"],
            "read_only": bool(inputs.get("readOnly")),
        }
    return bind_mount(inputs["hostPath"], inputs["containerPath"], inputs, True)


def bind_mount(source: str, target: str, inputs: Mapping[str, Any], create: bool) -> dict[str, Any]:
    """A bind mount of a host's path."""
    return {
        "type": "bind",
        "source": source,
        "target": target,
        "read_only": bool(inputs.get("readOnly")),
        "bind": {"create_host_path": create},
    }


def network(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """A network with its own subnet."""
    return {
        "name": inputs["name"],
        "driver": inputs["driver"],
        "internal": bool(inputs.get("internal")),
        "driver_opts": inputs.get("options") or {},
        "ipam": {
            "config": [
                {"subnet": each["subnet"], "gateway": each["gateway"]} for each in inputs["ipamConfigs"]
            ]
        },
        "labels": labels(inputs),
    }


def volume(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """A volume that is a directory of the drive."""
    return {
        "name": inputs["name"],
        "driver": inputs["driver"],
        "driver_opts": inputs["driverOpts"],
        "labels": labels(inputs),
    }


def labels(inputs: Mapping[str, Any]) -> dict[str, str]:
    """The labels but those of Compose's own."""
    return {
        each["label"]: escape(each["value"])
        for each in inputs.get("labels") or []
        if not each["label"].startswith(COMPOSE_LABEL)
    }


def mebibytes(number: float | None) -> str | None:
    """A size as Compose writes it."""
    return None if number is None else f"{int(number)}m"


def escape(value: Any) -> Any:
    """Escape text for Compose, which would replace `$NAME` by a variable."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, list):
        return [escape(each) for each in value]
    return value
