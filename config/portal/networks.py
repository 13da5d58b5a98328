"""Which container of a portal is on which of its networks: a function of who calls whom.

The release says on which networks a service answers and whom it calls (`networks`, `calls`), the tenant's choices what of
it there is. Docker knows no finer wall than the network: whoever shares one reaches whatever listens there. So a network
is of services with the very same callers, and each is shut to all others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from config.tenant.tenant import Tenant
from config.values import names
from config.values.networks import EGRESS, INGRESS, INSIDE, SUBNET_OFFSETS, subnet


@dataclass(frozen=True, kw_only=True)
class Network:
    """One network of a portal. `members` maps a container to the names that it answers to there."""

    name: str
    subnet: IPv4Network
    internal: bool
    members: Mapping[str, tuple[str, ...]]


def callees(tenant: Tenant) -> dict[str, tuple[str, ...]]:
    """Whom each container of a portal calls: its services, worker groups, and jobs that have networks."""
    services = tenant.services
    called_names = {
        **{name: service.calls for name, service in services.items()},
        **{group: services[names.workers_of(group)].calls for group in tenant.worker_groups},
        **{name: job.calls for name, job in tenant.release.jobs.items()},
    }
    return {name: tuple(each for each in called if each in services) for name, called in called_names.items()}


def networks(tenant: Tenant) -> Mapping[str, Network]:
    """The networks of a portal, by name, each with its members; a network that nobody is on there is not."""
    called = callees(tenant)
    places = {container: _networks_of(tenant, container, called[container]) for container in called}
    return {
        name: Network(
            name=name,
            subnet=subnet(tenant.placement.subnet, name),
            internal=name in INSIDE,
            members={each: _names(tenant, name, each, members, called) for each in members},
        )
        for name in SUBNET_OFFSETS
        if (members := sorted(each for each, joined in places.items() if name in joined))
    }


def _networks_of(tenant: Tenant, container: str, called: tuple[str, ...]) -> set[str]:
    own = set(_answers_on(tenant, container))
    names = own | {
        where[0] for each in called if (where := _answers_on(tenant, each)) and not own.intersection(where)
    }
    if container == "load-balancer":
        # A port that is published on an internal network reaches nobody.
        names.add(INGRESS)
    if container == "mailer" and tenant.mail.delivery != "sink":
        names.add(EGRESS)
    return names


def _answers_on(tenant: Tenant, container: str) -> tuple[str, ...]:
    service = tenant.services.get(container)
    return service.networks if service else ()


def _names(
    tenant: Tenant, network: str, container: str, members: list[str], called: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Its own name where it answers and somebody calls it; elsewhere nobody is to find it."""
    is_called = network in _answers_on(tenant, container) and any(
        container in called[each] for each in members
    )
    return (container,) if is_called else ()
