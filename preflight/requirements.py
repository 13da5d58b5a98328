"""What a change will ask an engine for, and what it will give up first: plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from preflight.procfs import ListenAddress


@dataclass(frozen=True, kw_only=True)
class PublishedPort:
    """An address and port at which a container is to be reached."""

    container: str
    listen: ListenAddress


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """The subnet that a network is to have."""

    network: str
    subnet: IPv4Network


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """`leaving_…` are names that the change itself frees; `new_…` are names that must be free.

    In MiB: `limits` of memory by container; `room`, the memory that containers which are not there yet need to start; `disk`, what
    has to be free on the drive for those that write to it.
    """

    published: tuple[PublishedPort, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    images: frozenset[str] = frozenset()
    new_containers: frozenset[str] = frozenset()
    new_networks: frozenset[str] = frozenset()
    leaving_containers: frozenset[str] = frozenset()
    leaving_networks: frozenset[str] = frozenset()
    volumes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    room: int = 0
    disk: int = 0

    @property
    def empty(self) -> bool:
        """Whether nothing is asked for."""
        return not (
            self.published
            or self.subnets
            or self.images
            or self.new_containers
            or self.new_networks
            or self.volumes
            or self.limits
        )
