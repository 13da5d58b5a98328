"""What a tenant's file asks for beyond what its state has: for a run that nobody has previewed, and for the plain CLI."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from config.images import PREFIX
from config.portal.image_sources import OPS, image_references
from config.portal.networks import networks
from config.portal.resource_types import CONTAINER, NETWORK
from config.tenant.tenant import Tenant
from config.values import drive_paths
from config.values.names import JOBS
from preflight import connection
from preflight import facts as host_facts
from preflight import obstacles as judging
from preflight.facts import Facts
from preflight.obstacles import Obstacle
from preflight.procfs import ANY, ListenAddress
from preflight.requirements import PublishedPort, Requirements, Subnet

LOAD_BALANCER = "load-balancer"
LIMIT_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Existing:
    """What a state says that a portal has."""

    published: frozenset[ListenAddress] = frozenset()
    subnets: frozenset[IPv4Network] = frozenset()
    images: frozenset[str] = frozenset()
    containers: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()

    @classmethod
    def read(cls, resources: Iterable[Mapping[str, Any]]) -> "Existing":
        """From a state's resources, each with its `type` and `outputs`."""
        typed_outputs = [(each.get("type"), each.get("outputs") or {}) for each in resources]
        containers = [outputs for kind, outputs in typed_outputs if kind == CONTAINER]
        networks = [outputs for kind, outputs in typed_outputs if kind == NETWORK]
        return cls(
            published=frozenset(
                ListenAddress(address=port.get("ip") or ANY, port=int(port["external"]))
                for each in containers
                for port in each.get("ports") or ()
                if port.get("external")
            ),
            subnets=frozenset(
                IPv4Network(config["subnet"])
                for each in networks
                for config in each.get("ipamConfigs") or ()
                if "." in (config.get("subnet") or "")
            ),
            images=frozenset(str(each.get("image")) for each in containers),
            containers=frozenset(str(each.get("name")) for each in containers),
            networks=frozenset(str(each.get("name")) for each in networks),
        )


def requirements(tenant: Tenant, references: Mapping[str, str], has: Existing) -> Requirements:
    """What is not there yet, as far as it follows from the file alone; empty for a portal whose places stay."""
    address = ListenAddress(address=tenant.listen.address, port=tenant.listen.port)
    place = tenant.placement.subnet
    stays = bool(has.subnets) and all(each.subnet_of(place) for each in has.subnets)
    names = {f"{tenant.name}-{each}" for each in (*tenant.stays_up, *JOBS)}
    return Requirements(
        published=()
        if address in has.published
        else (PublishedPort(container=f"{tenant.name}-{LOAD_BALANCER}", listen=address),),
        subnets=() if stays else (Subnet(network=tenant.name, subnet=place),),
        # Others the plugin pulls by itself.
        images=frozenset(each for each in references.values() if each.startswith(PREFIX)) - has.images,
        new_containers=frozenset(names) - has.containers if not (has.containers and stays) else frozenset(),
        new_networks=frozenset()
        if has.networks
        else frozenset(f"{tenant.name}-{each}" for each in networks(tenant)),
        volumes={} if has.networks else _volumes(tenant),
        leaving_containers=has.containers,
        leaving_networks=has.networks,
    )


def _volumes(tenant: Tenant) -> dict[str, dict[str, str]]:
    """The options of each volume of a portal, by its name."""
    directories = sorted({each for service in tenant.services.values() for each in service.data})
    return {
        f"{tenant.name}-{each}": drive_paths.volume_options(f"{tenant.directory}/{each}")
        for each in directories
    }


def obstacles(
    tenant: Tenant, images: Path, resources: Iterable[Mapping[str, Any]], client: Any = None
) -> tuple[Obstacle, ...]:
    """What stands in the way of a tenant's file on its engine. Asks nobody where all that it names is the portal's already.

    Raises what docker-py raises.
    """
    references = image_references(tenant, images)
    needs = requirements(tenant, references, Existing.read(resources))
    if needs.empty:
        return ()
    if client is not None:
        return judging.obstacles(
            needs, gather_facts(client, needs, references[OPS], tenant.storage.root), tenant.name
        )
    import docker

    with connection.client_arguments(tenant.placement.docker_host) as arguments:
        made = docker.APIClient(**arguments, timeout=LIMIT_SECONDS)
        try:
            return judging.obstacles(
                needs, gather_facts(made, needs, references[OPS], tenant.storage.root), tenant.name
            )
        finally:
            made.close()


def gather_facts(client: Any, needs: Requirements, image: str, root: str) -> Facts:
    """What the engine has, and its host where that matters. Raises what docker-py raises for the engine alone."""
    import docker

    facts = host_facts.of_engine(client, needs.images)
    if not judging.asks_host(needs, facts):
        return facts
    try:
        ports = judging.to_bind(needs, facts)
        return replace(facts, host=host_facts.of_host(client, image, root, ports=ports))
    except docker.errors.ImageNotFound:
        return replace(facts, unasked="the engine does not have the image yet that inspects its host")
    except host_facts.engine_errors() as error:
        why = str(getattr(error, "explanation", None) or error)
    try:
        # An engine that maps users lends nobody the host's network.
        return replace(facts, host=host_facts.of_host(client, image, root, "none"), unasked=why)
    except host_facts.engine_errors():
        return replace(facts, refused=why)
