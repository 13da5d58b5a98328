"""Who is on which network of a portal, and what that lets each reach."""

from collections import defaultdict
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from config.portal import networks, routes
from config.releases.release import Release, Releases
from config.tenant.sections import WorkerGroup
from config.tenant.tenant import Mail, Tenant

ROOT = Path(__file__).parents[4]
FOLDER = ROOT / "config" / "releases"
RELEASES = Releases(FOLDER).known()
STORES = {"mysql", "mongo", "redis", "memcached", "rabbitmq", "elasticsearch", "meilisearch"}
# What of them asks nobody for a password, with the images built here or with public ones.
OPEN = {"mongo", "memcached", "elasticsearch"}
FACES = {"load-balancer", "nginx", "mfe", "mailer", "mail-sink"}


def tenants(release: str) -> list[Tenant]:
    """A portal of each choice that changes who is there."""
    whole = replace(
        Tenant.load("acme", ROOT / "tenants"), release=Release.load(release, FOLDER), worker_groups={}
    )
    whole = replace(
        whole,
        # `services` reads no more than the names.
        sizes={**{each: next(iter(whole.sizes.values())) for each in whole.release.services}, **whole.sizes},
    )
    group = WorkerGroup(queues=("high_mem",), memory=512, workers=1, grace_seconds=60)
    return [
        replace(whole, mail=Mail(delivery="direct", smarthost="", username="", domains=())),
        replace(whole, mail=Mail(delivery="sink", smarthost="", username="", domains=())),
        replace(whole, worker_groups={"lms-workers-heavy": group, "cms-workers-slow": group}),
    ]


CASES = [
    pytest.param(each, id=f"{release}-{number}")
    for release in RELEASES
    for number, each in enumerate(tenants(release))
]


def reach(tenant: Tenant) -> dict[str, set[str]]:
    """Whom each container shares a network with."""
    reachable: dict[str, set[str]] = defaultdict(set)
    for network in networks.networks(tenant).values():
        for each in network.members:
            reachable[each] |= set(network.members) - {each}
    return reachable


@pytest.mark.parametrize("tenant", CASES)
def test_who_is_called_is_reached_by_its_name(tenant: Tenant) -> None:
    for caller, called in networks.callees(tenant).items():
        for each in called:
            assert any(
                caller in network.members and each in network.members.get(each, ())
                for network in networks.networks(tenant).values()
            ), f"{caller} → {each}"


@pytest.mark.parametrize("tenant", CASES)
def test_what_faces_the_world_reaches_no_store(tenant: Tenant) -> None:
    called = networks.callees(tenant)
    for face in FACES & reach(tenant).keys():
        # Browsers search at Meilisearch themselves, by way of the load balancer, with keys of their own.
        assert reach(tenant)[face] & STORES <= set(called[face]) & {"meilisearch"}, face


@pytest.mark.parametrize("tenant", CASES)
def test_a_store_without_a_password_is_reached_by_its_callers_and_who_serves_them(tenant: Tenant) -> None:
    called = networks.callees(tenant)
    for store in OPEN & reach(tenant).keys():
        callers = {each for each, those in called.items() if store in those}
        assert {each for each, those in reach(tenant).items() if store in those} == callers


@pytest.mark.parametrize("tenant", CASES)
def test_names_stand_where_somebody_calls_them_and_nowhere_else(tenant: Tenant) -> None:
    called = networks.callees(tenant)
    for network in networks.networks(tenant).values():
        for container, aliases in network.members.items():
            is_called = any(container in called[each] for each in network.members)
            assert aliases in ((container,), ()), network.name
            if aliases:
                assert is_called, (network.name, container)


@pytest.mark.parametrize("tenant", CASES)
def test_subnets_are_apart_and_hold_their_members(tenant: Tenant) -> None:
    for one, other in combinations(networks.networks(tenant).values(), 2):
        assert not one.subnet.overlaps(other.subnet)
    for each in networks.networks(tenant).values():
        assert each.subnet.subnet_of(tenant.placement.subnet)
        assert len(each.members) <= each.subnet.num_addresses - 3


def test_a_network_of_the_most_that_a_portal_may_have_holds_it() -> None:
    """Every queue but one of each service in a group of its own, and as many containers again."""
    for release in RELEASES:
        tenant = tenants(release)[0]
        groups = {
            f"{each}-group{number}": WorkerGroup(queues=("x",), memory=512, workers=1, grace_seconds=60)
            for each in ("lms-workers", "cms-workers")
            for number in range(2 * len(tenant.release.services[each].queues))
        }
        for network in networks.networks(replace(tenant, worker_groups=groups)).values():
            assert len(network.members) <= network.subnet.num_addresses - 3, network.name


@pytest.mark.parametrize("tenant", CASES)
def test_ways_in_and_out_are_of_one_each(tenant: Tenant) -> None:
    ways = {name: set(each.members) for name, each in networks.networks(tenant).items() if not each.internal}
    out = {} if tenant.mail.delivery == "sink" else {"egress": {"mailer"}}
    assert ways == {"ingress": {"load-balancer"}, **out}


@pytest.mark.parametrize("tenant", CASES)
def test_the_load_balancer_calls_what_it_routes_to(tenant: Tenant) -> None:
    routed = {each.service for each in routes.routes(tenant)}
    routed |= {"nginx"} if any(each.static for each in routes.routes(tenant)) else set()
    assert routed <= set(networks.callees(tenant)["load-balancer"])


@pytest.mark.parametrize("release", RELEASES)
def test_stores_that_ask_for_no_password_share_their_network_with_no_other_store(release: str) -> None:
    services = Release.load(release, FOLDER).services
    for store in OPEN & services.keys():
        others = {each for each in STORES & services.keys() if each != store}
        assert not {each for each in others if set(services[each].networks) & set(services[store].networks)}
