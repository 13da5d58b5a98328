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


def compose_file(found: Sequence[Mapping[str, Any]], project: str) -> dict[str, Any]:
    """The Compose file of a portal. Raises UnknownInput."""
    containers = {each["urn"]: each for each in found if each["type"] == CONTAINER}
    made: dict[str, Any] = {
        "name": project,
        "services": {},
        "configs": {},
        "networks": {
            each["inputs"]["name"]: network(each["inputs"]) for each in found if each["type"] == NETWORK
        },
        "volumes": {
            each["inputs"]["name"]: volume(each["inputs"]) for each in found if each["type"] == VOLUME
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


def service(told: Mapping[str, Any], after: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One container's inputs as a Compose service."""
    made: dict[str, Any] = {
        "container_name": told["name"],
        "image": told["image"],
        "pull_policy": "never",
        "command": escape(told.get("command")),
        "entrypoint": escape(told.get("entrypoints")),
        "hostname": told.get("hostname"),
        "user": told.get("user"),
        "environment": escape(told.get("envs")),
        "labels": labels(told),
        # Files without a source on the host are copied into the container before its start, as our uploads are.
        "configs": [
            {
                "source": f"{name}-{index}",
                "target": each["file"],
                # No owner: with one, Compose lets the engine give the file to the container's user.
                "mode": int(each["permissions"], 8),
            }
            for index, each in enumerate(told.get("uploads") or [])
        ],
        "volumes": [
            *(named_or_host(each) for each in told.get("volumes") or []),
            *(bind_mount(each["source"], each["target"], each, False) for each in told.get("mounts") or []),
        ],
        "tmpfs": [f"{path}:{options}" for path, options in sorted((told.get("tmpfs") or {}).items())],
        "cpu_shares": told.get("cpuShares"),
        "mem_limit": mebibytes(told.get("memory")),
        "memswap_limit": mebibytes(told.get("memorySwap")),
        "logging": {"driver": told["logDriver"], "options": told["logOpts"]},
        "security_opt": told.get("securityOpts"),
        "cap_add": told["capabilities"].get("adds"),
        "cap_drop": told["capabilities"].get("drops"),
        "ulimits": {
            each["name"]: {"soft": int(each["soft"]), "hard": int(each["hard"])}
            for each in told.get("ulimits") or []
        },
        "stop_grace_period": f"{int(told['stopTimeout'])}s",
        "restart": told["restart"],
        "healthcheck": healthcheck(told.get("healthcheck")),
        "ports": [
            {
                "target": int(each["internal"]),
                "published": str(int(each["external"])),
                "host_ip": each["ip"],
                "protocol": each.get("protocol") or "tcp",
            }
            for each in told.get("ports") or []
        ],
        "depends_on": dict(after),
    }
    if told["networkMode"] == "none":
        made["network_mode"] = "none"
    else:
        made["networks"] = {
            each["name"]: {"aliases": each.get("aliases") or []} for each in told["networksAdvanced"]
        }
    return {key: value for key, value in made.items() if value not in (None, [], {})}


def healthcheck(told: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A health check in Compose's format."""
    if not told:
        return None
    return {
        "test": escape(told["tests"]),
        "interval": told["interval"],
        "timeout": told["timeout"],
        "start_period": told["startPeriod"],
        "retries": int(told["retries"]),
    }


def named_or_host(told: Mapping[str, Any]) -> dict[str, Any]:
    """A volume by its name, or a host's path that the engine makes when it is absent."""
    if told.get("volumeName"):
        return {
            "type": "volume",
            "source": told["volumeName"],
            "target": told["containerPath"],
            "read_only": bool(told.get("readOnly")),
        }
    return bind_mount(told["hostPath"], told["containerPath"], told, True)


def bind_mount(source: str, target: str, told: Mapping[str, Any], create: bool) -> dict[str, Any]:
    """A bind mount of a host's path."""
    return {
        "type": "bind",
        "source": source,
        "target": target,
        "read_only": bool(told.get("readOnly")),
        "bind": {"create_host_path": create},
    }


def network(told: Mapping[str, Any]) -> dict[str, Any]:
    """A network with its own subnet."""
    return {
        "name": told["name"],
        "driver": told["driver"],
        "internal": bool(told.get("internal")),
        "driver_opts": told.get("options") or {},
        "ipam": {
            "config": [{"subnet": each["subnet"], "gateway": each["gateway"]} for each in told["ipamConfigs"]]
        },
        "labels": labels(told),
    }


def volume(told: Mapping[str, Any]) -> dict[str, Any]:
    """A volume that is a directory of the drive."""
    return {
        "name": told["name"],
        "driver": told["driver"],
        "driver_opts": told["driverOpts"],
        "labels": labels(told),
    }


def labels(told: Mapping[str, Any]) -> dict[str, str]:
    """The labels but those of Compose's own."""
    return {
        each["label"]: escape(each["value"])
        for each in told.get("labels") or []
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
