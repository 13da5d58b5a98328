"""What somebody says who wants a portal, and the tenant file that it becomes; everything else is found."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

import yaml

from config.reading.errors import ConfigError
from config.tenant.fleet import Fleet
from config.tenant.tenant import Tenant
from config.values.placement import machine
from preflight.procfs import Door

HEAD = """\
# yaml-language-server: $schema=../config/tenant.schema.json
# All keys and their defaults: config/reference.yml
"""
FIRST_PORT = 8080
LAST_PORT = 65535
# The default of listen/address in config/reference.yml.
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class OnboardingRequest:
    """`lms` is the host name that learners know. What is left empty is derived or found free (`file`)."""

    name: str
    lms: str
    cms: str = ""
    title: str = ""
    email: str = ""
    release: str = ""
    images: str = ""
    mail: str = ""
    mail_host: str = ""
    address: str = ""
    port: int = 0
    subnet: str = ""
    docker_host: str = ""
    root: str = ""

    def given(self) -> dict[str, str]:
        """What was said and not left to be found, by the key of the tenant file that it becomes."""
        values = {
            "title": self.title,
            "release": self.release,
            "images": self.images,
            "hosts/lms": self.lms,
            "hosts/cms": self.cms,
            "hosts/mail": self.mail_host,
            "listen/address": self.address,
            "listen/port": str(self.port or ""),
            "placement/docker_host": self.docker_host,
            "placement/subnet": self.subnet,
            "storage/root": self.root,
            "admin/email": self.email,
            "mail/delivery": self.mail,
        }
        return {key: value for key, value in values.items() if value}

    def values(self, subnet: IPv4Network | str, port: int) -> dict[str, Any]:
        """The keys of the tenant file, sections as mappings, none of them empty."""
        sink = self.mail == "sink"
        values: dict[str, Any] = {
            "title": self.title or self.name.replace("-", " ").title(),
            "release": self.release,
            "images": self.images,
            "hosts": {
                "lms": self.lms,
                "cms": self.cms or f"studio.{self.lms}",
                "mail": self.mail_host or (f"mail.{self.lms}" if sink else ""),
            },
            "listen": {"address": self.address, "port": port},
            "placement": {"docker_host": self.docker_host, "subnet": str(subnet)},
            "storage": {"root": self.root},
            "admin": {"email": self.email or f"admin@{self.lms}"},
            "mail": {"delivery": self.mail},
        }
        return dict(without_empty(values))


def without_empty(told: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is said, at both depths."""
    for key, value in told.items():
        kept = dict(without_empty(value)) if isinstance(value, Mapping) else value
        if kept:
            yield key, kept


def text(values: Mapping[str, Any]) -> str:
    """A tenant file as a person would write it: what differs from config/reference.yml, in its order."""
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    sections = [{key: value} for key, value in values.items() if isinstance(value, Mapping)]
    parts = [
        yaml.safe_dump(each, sort_keys=False, allow_unicode=True, width=10_000) for each in (plain, *sections)
    ]
    return HEAD + "\n".join(parts)


def free_subnet(fleet: Fleet, tenants: Collection[Tenant], others: Collection[IPv4Network]) -> IPv4Network:
    """The first /24 of the pool that no tenant has and no network of the engine (`others`) touches."""
    taken = [*(each.placement.subnet for each in tenants), *others]
    for each in fleet.pool.subnets(new_prefix=24):
        if not any(each.overlaps(other) for other in taken):
            return each
    raise ConfigError(
        f"config/fleet.yml: pool: '{fleet.pool}' has no free /24 left for another tenant, expected a larger one, "
        "for example '10.64.0.0/12'"
    )


def free_port(
    tenants: Collection[Tenant], docker_host: str, address: str, others: Collection[Door] = ()
) -> int:
    """The first port from 8080 that no tenant of the machine has, and at which nothing (`others`) listens there."""
    here = machine(docker_host)
    taken = {each.listen.port for each in tenants if machine(each.placement.docker_host) == here}
    for port in range(FIRST_PORT, LAST_PORT + 1):
        door = Door(address=address or LOOPBACK, port=port)
        if port not in taken and not any(each.meets(door) for each in others):
            return port
    raise ConfigError(f"listen/port: no port from {FIRST_PORT} is free on this machine")


def conflicts(request: OnboardingRequest, tenant: Tenant) -> list[str]:
    """Where an existing tenant is other than asked for, a line each; what was not said is as it is."""
    has = {
        "title": tenant.title,
        "release": tenant.release.name,
        "images": tenant.images,
        "hosts/lms": tenant.hosts.lms,
        "hosts/cms": tenant.hosts.cms,
        "hosts/mail": tenant.hosts.mail,
        "listen/address": tenant.listen.address,
        "listen/port": str(tenant.listen.port),
        "placement/docker_host": tenant.placement.docker_host,
        "placement/subnet": str(tenant.placement.subnet),
        "storage/root": tenant.storage.root,
        "admin/email": tenant.admin.email,
        "mail/delivery": tenant.mail.delivery,
    }
    return [
        f"tenants/{tenant.name}.yaml: {key}: is '{has[key]}', and '{value}' was asked for; the tenant is there "
        f"already: edit its file and run `./portal up {tenant.name}`, or leave that word out"
        for key, value in request.given().items()
        if has[key] != value
    ]
