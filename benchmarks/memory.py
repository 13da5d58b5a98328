"""The memory of a portal's containers, as the engine counts it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.portal.labels import SERVICE, tenant_filter

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ContainerMemory:
    """One container: MiB of its working set, of its processes' own memory, of its limit; CPU time in seconds."""

    service: str
    working_set: float
    anonymous: float
    limit: float
    cpu_seconds: float


def container_memory(client: Any, tenant: str) -> list[ContainerMemory]:
    """The memory of every running container of a tenant, the largest first."""
    listed = client.containers(filters=tenant_filter(tenant))
    containers = [
        parse_stats(each["Labels"][SERVICE], client.stats(each["Id"], stream=False, one_shot=True))
        for each in listed
    ]
    return sorted(containers, key=lambda each: -each.working_set)


def parse_stats(service: str, answer: Mapping[str, Any]) -> ContainerMemory:
    """The engine's numbers. Working set: what is used, less file pages that the kernel can drop at once."""
    memory = answer["memory_stats"]
    stats = memory["stats"]
    # cgroup v1 counts a container's own cgroup and, as total_, all below it; v2 has only the whole.
    inactive = stats.get("total_inactive_file", stats.get("inactive_file", 0))
    anonymous = stats.get("total_rss", stats.get("anon", 0))
    return ContainerMemory(
        service=service,
        working_set=(memory["usage"] - inactive) / MIB,
        anonymous=anonymous / MIB,
        limit=memory["limit"] / MIB,
        cpu_seconds=answer["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9,
    )


def total(containers: Sequence[ContainerMemory]) -> float:
    """The portal's working set in MiB."""
    return sum(each.working_set for each in containers)
