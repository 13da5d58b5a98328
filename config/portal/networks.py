"""Which container of a portal is on which of its networks: a function of who calls whom.

The release says on which networks a service answers and whom it calls (`networks`, `calls`), the tenant's choices what of
it there is. Docker knows no finer wall than the network: whoever shares one reaches whatever listens there. So a network
is of services with the very same callers, and each is shut to all others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from types import MappingProxyType
from typing import TYPE_CHECKING

from config.values import names

if TYPE_CHECKING:
    from config.tenant.tenant import Tenant

INGRESS, EGRESS = "ingress", "egress"
# Each network's place in a tenant's /24, for good: a place that moves replaces every container of every portal. In
# thirty-seconds of it (8 addresses), with the prefix length. 192 to 223 are free, for what joins several portals' load
# balancers, for add-ons, for an overlay.
PLACES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "front": (0, 27),
        "mail": (4, 27),
        "data": (8, 27),
        "cache": (12, 27),
        "documents": (16, 27),
        "search": (20, 27),
        INGRESS: (28, 28),
        EGRESS: (30, 28),
    }
)
# The networks on which services answer each other; the two others are ways in and out.
INSIDE = tuple(each for each in PLACES if each not in (INGRESS, EGRESS))
# Services of different callers share these, each for a reason: pages are for everybody who can open the portal, and
# where mails go in they are taken from the senders' addresses alone.
MIXED = frozenset(("front", "mail"))


@dataclass(frozen=True, kw_only=True)
class Network:
    """One network of a portal. `members` maps a container to the names that it answers to there."""

    name: str
    subnet: IPv4Network
    internal: bool
    members: Mapping[str, tuple[str, ...]]


def subnet(whole: IPv4Network, name: str) -> IPv4Network:
    """The part of a tenant's /24 that is one network's."""
    eighth, prefix = PLACES[name]
    return IPv4Network((int(whole.network_address) + 8 * eighth, prefix))


def calls(tenant: Tenant) -> dict[str, tuple[str, ...]]:
    """Whom each container of a portal calls: its services, worker groups, and jobs that have networks."""
    services = tenant.services
    told = {
        **{name: service.calls for name, service in services.items()},
        **{group: services[names.workers_of(group)].calls for group in tenant.worker_groups},
        **{name: job.calls for name, job in tenant.release.jobs.items()},
    }
    return {name: tuple(each for each in called if each in services) for name, called in told.items()}


def networks(tenant: Tenant) -> dict[str, Network]:
    """The networks of a portal, by name, each with its members; a network that nobody is on there is not."""
    called = calls(tenant)
    places = {container: _joined(tenant, container, called[container]) for container in called}
    return {
        name: Network(
            name=name,
            subnet=subnet(tenant.placement.subnet, name),
            internal=name in INSIDE,
            members={each: _names(tenant, name, each, members, called) for each in members},
        )
        for name in PLACES
        if (members := sorted(each for each, joined in places.items() if name in joined))
    }


def _joined(tenant: Tenant, container: str, called: tuple[str, ...]) -> set[str]:
    own = set(_answers(tenant, container))
    found = own | {
        where[0] for each in called if (where := _answers(tenant, each)) and not own.intersection(where)
    }
    if container == "load-balancer":
        # A port that is published on an internal network reaches nobody.
        found.add(INGRESS)
    if container == "mailer" and tenant.mail.delivery != "sink":
        found.add(EGRESS)
    return found


def _answers(tenant: Tenant, container: str) -> tuple[str, ...]:
    service = tenant.services.get(container)
    return service.networks if service else ()


def _names(
    tenant: Tenant, network: str, container: str, members: list[str], called: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Its own name where it answers and somebody calls it; elsewhere nobody is to find it."""
    wanted = network in _answers(tenant, container) and any(container in called[each] for each in members)
    return (container,) if wanted else ()
