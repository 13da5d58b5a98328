"""Whether an engine's host has room for a portal: memory by its sizes, space on the drive."""

import re
from dataclasses import dataclass

from automation.errors import PortalError
from config.tenant.tenant import Tenant
from config.values.checks import LEAST_FREE

# What storage-init asks for.
LEAST_DISK_MIB = LEAST_FREE
MEMORY_AND_DISK_SCRIPT = "grep MemAvailable /proc/meminfo; df -Pk /drive | tail -n 1"
_MEMORY = re.compile(r"MemAvailable:\s+(\d+) kB")
_DISK = re.compile(r"^\S+\s+\d+\s+\d+\s+(\d+)\s", re.MULTILINE)


class NoRoom(PortalError):
    """The host has not what a portal needs to start."""

    exit_code = 9


@dataclass(frozen=True, kw_only=True)
class Room:
    """MiB of memory that a host can give without swapping, and of space on its drive."""

    memory: int
    disk: int


def parse(output: str) -> Room:
    """The output of `MEMORY_AND_DISK_SCRIPT`. Raises PortalError when it is not to be understood."""
    memory, disk = _MEMORY.search(output), _DISK.search(output)
    if not memory or not disk:
        raise PortalError(f"cannot read the memory and disk space of the engine's host: {output!r}")
    return Room(memory=int(memory[1]) // 1024, disk=int(disk[1]) // 1024)


def at_most(tenant: Tenant) -> int:
    """MiB that a portal's containers may take together: the sum of their limits."""
    groups = sum(each.memory for each in tenant.worker_groups.values())
    return groups + sum(tenant.sizes[each].memory for each in tenant.services)


def at_least(tenant: Tenant) -> int:
    """MiB without which its services do not start."""
    return sum(tenant.least_memory(each) for each in tenant.stays_up)


def judge(room: Room, tenant: Tenant) -> str:
    """What to know before it comes up, empty when there is plenty. Raises NoRoom when it would not even start."""
    where = tenant.placement.docker_host or "this machine"
    if room.disk < LEAST_DISK_MIB:
        raise NoRoom(
            f"{tenant.storage.root} has {room.disk} MiB free, and a portal needs {LEAST_DISK_MIB} to "
            "start: free some space on the drive; nothing was started"
        )
    if room.memory < at_least(tenant):
        raise NoRoom(
            f"{where} has {room.memory} MiB of memory free, and {tenant.name}'s services need "
            f"{at_least(tenant)} to start: choose another host (placement/docker_host) or stop a portal; "
            "nothing was started"
        )
    if room.memory < at_most(tenant):
        return (
            f"{where} has {room.memory} MiB of memory free; at its limits {tenant.name} takes "
            f"{at_most(tenant)} MiB, when idle a part of that"
        )
    return ""
