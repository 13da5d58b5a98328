"""What a container says of itself, whether it stays up or ends: plain data, and what the provider makes of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pulumi_docker as docker
from pulumi import Input, Resource

from config.portal.labels import GROUP, SERVICE, SPEC_HASH, TENANT

# Erlang and others size tables by this limit; some hosts refuse more than 20,000.
OPEN_FILES = 8192
# With the kernel's default of one log file without end, a chatty portal fills the host's disk.
LOG_OPTIONS = {"max-file": "3", "max-size": "10m"}
# Docker's own, said aloud: the official plugin says "updated" when a weight is taken away, and the engine keeps it.
CPU_SHARES = 1024
TMPFS = {"/tmp": "mode=1777,size=64m"}  # noqa: S108 (the path inside the container)


class Startable(Protocol):
    """What another container may wait for: a service that is up, a job that has succeeded."""

    ready: Input[Resource]


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """One network that a container joins, under the names it answers to there."""

    network: Input[str]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class VolumeMount:
    """A directory of the portal on the drive, by its Docker volume."""

    volume: Input[str]
    path: str
    read_only: bool = False


@dataclass(frozen=True, kw_only=True)
class HostMount:
    """A path of the host. Where `must_exist`, the engine refuses to make it up when it is absent."""

    source: str
    path: str
    read_only: bool = False
    must_exist: bool = True


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What runs, never how the engine does it. Memory in MiB, `grace_seconds` between SIGTERM and SIGKILL; `files` and `secrets` map a path to its text.

    `cpu_shares` is its weight beside others where processors are short, 1024 being Docker's own.
    """

    tenant: str
    group: str
    image: str
    user: int
    memory: int
    command: tuple[str, ...] = ()
    hostname: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Input[str]] = field(default_factory=dict)
    secrets: Mapping[str, Input[str]] = field(default_factory=dict)
    networks: tuple[Attachment, ...] = ()
    volumes: tuple[VolumeMount, ...] = ()
    host_mounts: tuple[HostMount, ...] = ()
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    grace_seconds: int = 30
    cpu_shares: int = CPU_SHARES
    after: tuple[Startable, ...] = ()


def identity(tenant: str, group: str, service: str) -> dict[str, str]:
    """Labels by which people and tools (Portainer, lazydocker, `docker compose ls`) find a portal's parts."""
    return {
        "com.docker.compose.project": tenant,
        "com.docker.compose.service": service,
        GROUP: group,
        SERVICE: service,
        TENANT: tenant,
    }


def spec_hash(env: Mapping[str, str], own_labels: Mapping[str, str]) -> str:
    """Hash of what the official plugin does not see change: the last env or label removed, their order."""
    hashed = json.dumps([sorted(env.items()), sorted(own_labels.items())])
    return hashlib.sha256(hashed.encode()).hexdigest()[:12]


def container_inputs(
    name: str,
    args: Workload,
    *,
    files: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The arguments of docker.Container that hold for every container of a portal: the house rules.

    `files` and `labels` are what a kind of container (service, job) adds to the workload's own.
    """
    env = {"PORTAL_MEMORY_MB": str(args.memory), **args.env}
    own = {**identity(args.tenant, args.group, name), **args.labels, **(labels or {})}
    contents: dict[str, Input[str]] = {**args.files, **args.secrets, **(files or {})}
    uploads = [
        docker.ContainerUploadArgs(
            file=path, content=content, permissions="0555" if path.endswith(".sh") else "0444"
        )
        for path, content in sorted(contents.items())
    ]
    return {
        "name": f"{args.tenant}-{name}",
        "image": args.image,
        "command": list(args.command) or None,
        "hostname": args.hostname,
        "user": str(args.user),
        "envs": [f"{key}={value}" for key, value in sorted(env.items())],
        "labels": [
            docker.ContainerLabelArgs(label=key, value=value)
            for key, value in sorted({**own, SPEC_HASH: spec_hash(env, own)}.items())
        ],
        "uploads": uploads or None,
        # The provider leaves Docker's default network only when the mode is "bridge".
        # https://github.com/pulumi/pulumi-docker/issues/1272
        "network_mode": "bridge" if args.networks else "none",
        "networks_advanced": [
            docker.ContainerNetworksAdvancedArgs(name=each.network, aliases=list(each.aliases))
            for each in args.networks
        ]
        or None,
        "volumes": [
            *(
                docker.ContainerVolumeArgs(
                    volume_name=each.volume, container_path=each.path, read_only=each.read_only
                )
                for each in sorted(args.volumes, key=lambda mount: mount.path)
            ),
            *(
                docker.ContainerVolumeArgs(
                    host_path=each.source, container_path=each.path, read_only=each.read_only
                )
                for each in args.host_mounts
                if not each.must_exist
            ),
        ]
        or None,
        "mounts": [
            docker.ContainerMountArgs(
                type="bind", source=each.source, target=each.path, read_only=each.read_only
            )
            for each in args.host_mounts
            if each.must_exist
        ]
        or None,
        "tmpfs": {**TMPFS, **args.tmpfs},
        "memory": args.memory,
        # Without it the container may use as much swap again; and raising memory alone fails (moby#39541).
        "memory_swap": args.memory,
        "cpu_shares": args.cpu_shares,
        "log_driver": "json-file",
        "log_opts": LOG_OPTIONS,
        "security_opts": ["no-new-privileges:true"],
        "capabilities": docker.ContainerCapabilitiesArgs(
            # With the prefix: without it the provider replaces the container after every refresh.
            adds=[f"CAP_{each}" for each in sorted(args.capabilities)] or None,
            drops=["ALL"],
        ),
        "ulimits": [docker.ContainerUlimitArgs(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES)],
        # The provider stops with a timeout of 0 seconds, a SIGKILL, unless told otherwise.
        "destroy_grace_seconds": args.grace_seconds,
        "stop_timeout": args.grace_seconds,
    }
