"""The mounts of the host's disks in a container, from the kernel's table."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from testbed.objects import Objects

# The container's own root, what the engine puts into every container, and what lies in memory.
OWN = ("/", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts")
KERNEL = ("proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2", "overlay")


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A directory of a disk (`source`, as the disk's own path) at `path` of the container."""

    source: str
    path: str
    read_only: bool


def mounts(objects: Objects, container: str) -> list[Mount]:
    """Every mount of a disk in a running container, apart from the engine's own."""
    mounted = []
    for line in objects.exec_in(container, "cat", "/proc/self/mountinfo").splitlines():
        # id parent device root path options … - type source options
        left, _, right = line.partition(" - ")
        words = left.split()
        kind = right.split()[0]
        if kind not in KERNEL and words[4] not in OWN:
            mounted.append(Mount(source=words[3], path=words[4], read_only="ro" in words[5].split(",")))
    return sorted(mounted, key=lambda each: each.path)


def directory(mount: Mount, tenant: str) -> str:
    """The directory of the tenant that is mounted, the whole path where it is none of that tenant's."""
    path = PurePosixPath(mount.source)
    return path.name if path.parent.name == tenant else str(path)
