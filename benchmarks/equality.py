"""Whether two tools made the same containers: all of `docker inspect` but for a list of exceptions."""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.composefile import COMPOSE_LABEL

# What may differ, and why it does not make one of the two cheaper.
ALLOWED = {
    "Config.AttachStdout": "Compose asks for it and never attaches",
    "Config.AttachStderr": "Compose asks for it and never attaches",
    "Config.Labels com.docker.compose.*": "Compose writes more labels of its own than the program",
    "Config.Volumes": "the provider names mount points there, too; what was mounted is compared in Mounts",
    "HostConfig.Binds": "the same mounts in another notation; what was mounted is compared in Mounts",
    "HostConfig.Mounts": "the same mounts in another notation; what was mounted is compared in Mounts",
    "HostConfig.NetworkMode": "the provider says `bridge` and joins afterwards; the networks joined are compared",
    "HostConfig.PidsLimit": "set by `./portal up` on the engine afterwards, as the provider has no word for it; it costs nothing",
    "Networks aliases": "Compose adds the container's and the service's name",
}
SECRETS = "/run/secrets/"

Facts = dict[str, str]


class PortalsDiffer(Exception):
    """The two tools made different things: their times may not be compared."""


def engine_facts(client: Any, tenant: str, files: Mapping[str, list[str]]) -> dict[str, Facts]:
    """Facts of every container, network and volume of a tenant. `files` names each container's uploads."""
    label = {"label": f"com.docker.compose.project={tenant}"}
    facts = {}
    for each in client.containers(all=True, filters=label):
        inspection = client.inspect_container(each["Id"])
        name = inspection["Name"].lstrip("/")
        facts[f"container {name}"] = {
            **container(inspection),
            **{f"file {path}": file_facts(client, each["Id"], path) for path in files.get(name, ())},
        }
    for each in client.networks(filters=label):
        facts[f"network {each['Name']}"] = network(client.inspect_network(each["Id"]))
    for each in client.volumes(filters=label)["Volumes"] or []:
        facts[f"volume {each['Name']}"] = volume(each)
    return facts


def container(inspection: Mapping[str, Any]) -> Facts:
    """The facts of a container, without those that are random (id, addresses, times) and without ALLOWED."""
    config, host = dict(inspection["Config"]), dict(inspection["HostConfig"])
    if config["Hostname"] == inspection["Id"][:12]:
        config["Hostname"] = ""
    config["Labels"] = without_compose(config["Labels"])
    config["Env"] = sorted(config["Env"] or [])
    facts = {
        **flatten("Config", config),
        **flatten("HostConfig", host),
        "Image": inspection["Image"],
        "Mounts": text(
            sorted((mount(each) for each in inspection["Mounts"]), key=lambda each: each["Destination"])
        ),
        "Health": text((inspection["State"].get("Health") or {}).get("Status")),
        "State": text([inspection["State"]["Status"], inspection["State"]["ExitCode"]]),
    }
    own = {inspection["Name"].lstrip("/"), inspection["Id"][:12]}
    for name, joined in (inspection["NetworkSettings"]["Networks"] or {}).items():
        facts[f"Networks {name}"] = text(joined.get("IPAMConfig") or None)
        facts[f"Networks {name} aliases"] = text(sorted(set(joined.get("Aliases") or []) - own))
    return {key: value for key, value in facts.items() if key not in ALLOWED}


def network(inspection: Mapping[str, Any]) -> Facts:
    """The facts of a network."""
    keys = ("Driver", "EnableIPv6", "IPAM", "Internal", "Attachable", "Ingress", "Options")
    return {key: text(inspection[key]) for key in keys} | {
        "Labels": text(without_compose(inspection["Labels"]))
    }


def volume(inspection: Mapping[str, Any]) -> Facts:
    """The facts of a volume."""
    return {key: text(inspection[key]) for key in ("Driver", "Options", "Scope")} | {
        "Labels": text(without_compose(inspection["Labels"]))
    }


def mount(inspection: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a mount, however it was declared."""
    return {key: inspection.get(key) for key in ("Type", "Name", "Source", "Destination", "Driver", "RW")}


def file_facts(client: Any, container: str, path: str) -> str:
    """A file in a container: its mode, owner and content; of a secret the length, as each deployment has its own."""
    chunks, _ = client.get_archive(container, path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        entry = archive.getmembers()[0]
        opened = archive.extractfile(entry)
        content = opened.read() if opened else b""
    fingerprint = f"{len(content)} bytes" if path.startswith(SECRETS) else hashlib.sha256(content).hexdigest()
    return f"{entry.mode:o} {entry.uid}:{entry.gid} {fingerprint}"


def flatten(prefix: str, mapping: Mapping[str, Any]) -> Facts:
    """One fact a key; what is empty counts as absent."""
    return {
        f"{prefix}.{key}": text(value)
        for key, value in mapping.items()
        if value not in (None, "", [], {}, 0, False)
    }


def text(value: Any) -> str:
    """A value as text that two equal values share."""
    return json.dumps(value, sort_keys=True)


def without_compose(labels: Mapping[str, str] | None) -> dict[str, str]:
    """The labels but those in Compose's own name space."""
    return {key: value for key, value in (labels or {}).items() if not key.startswith(COMPOSE_LABEL)}


def differences(ours: Mapping[str, Facts], theirs: Mapping[str, Facts]) -> Iterator[str]:
    """Each fact that is not the same in both, one a line."""
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in ours or name not in theirs:
            yield f"{name}: only {'ours' if name in ours else 'theirs'} has it"
            continue
        for key in sorted(ours[name].keys() | theirs[name].keys()):
            one, other = ours[name].get(key), theirs[name].get(key)
            if one != other and not (key.endswith(" aliases") and more_aliases(name, one, other)):
                yield f"{name}: {key}: ours {one}, theirs {other}"


def more_aliases(name: str, ours: str | None, theirs: str | None) -> bool:
    """Whether the peer's container answers to all our names and, beyond them, only to its service's."""
    one, other = set(json.loads(ours or "[]")), set(json.loads(theirs or "[]"))
    return one <= other and all(name.endswith(f"-{alias}") for alias in other - one)
