"""What somebody says who wants a portal, and the tenant file that it becomes; everything else is found."""

from collections.abc import Collection, Mapping
from dataclasses import MISSING, dataclass, field, fields
from ipaddress import IPv4Network
from typing import Any

import yaml

from config.reading.errors import ConfigError
from config.releases.release import Release
from config.tenant.fleet import Fleet
from config.tenant.tenant import Tenant
from config.values.placement import machine
from preflight.procfs import ListenAddress

HEAD = """\
# yaml-language-server: $schema=../config/tenant.schema.json
# All keys and their defaults: config/reference.yml
"""
FIRST_PORT = 8080
LAST_PORT = 65535
# The default of listen/address in config/reference.yml.
LOOPBACK = "127.0.0.1"
FOUND_FREE = "Default: a free one."


@dataclass(frozen=True, kw_only=True)
class Option:
    """What may be asked for of one key of the tenant file.

    `expected` says what a value is, with an example; `help` and `metavar` are those of the command line.
    """

    key: str
    expected: str
    help: str
    metavar: str | None = None


def option(key: str, expected: str, help: str, *, metavar: str | None = None, default: Any = "") -> Any:
    """A field of a request: an option of `./portal new`, a column of a script's table, a key of the tenant file."""
    return field(
        default=default, metadata={"option": Option(key=key, expected=expected, help=help, metavar=metavar)}
    )


@dataclass(frozen=True, kw_only=True)
class OnboardingRequest:
    """What somebody asks for; what is left empty is derived or found free (`values`).

    The one list of what can be asked for: a new field here, in the order of the tenant file, is all that a new option of
    `./portal new` needs.
    """

    name: str
    title: str = option(
        "title",
        "1 to 80 characters, for example 'Oak University'",
        "Title of the portal, shown on its pages.",
    )
    release: str = option(
        "release",
        "one of config/releases, for example redwood",
        "Open edX release, one of config/releases. Default: the newest one with public images if these can be pulled; "
        "otherwise redwood.",
    )
    images: str = option(
        "images",
        "packages or hub",
        "Image source: packages (built here; a stand-in for edx-platform) or hub (public images). Default: hub if these "
        "can be pulled and the host has enough memory; otherwise packages.",
    )
    lms: str = option(
        "hosts/lms",
        "a host name, for example learn.oak.example",
        "Host name of the learners' site (LMS).",
        metavar="HOST",
        default=MISSING,
    )
    cms: str = option(
        "hosts/cms",
        "a host name, for example studio.oak.example",
        "Host name of the authors' site (Studio). Default: studio.<lms>.",
        metavar="HOST",
    )
    mail_host: str = option(
        "hosts/mail",
        "a host name, for example mail.oak.example",
        "Host name of the sink's page. Default: mail.<lms>.",
        metavar="HOST",
    )
    address: str = option(
        "listen/address",
        "an address, for example 127.0.0.1",
        f"Address on which the load balancer listens. Default: {LOOPBACK}.",
    )
    port: int = option(
        "listen/port",
        "a number, for example 8080",
        f"Port on which the load balancer listens. {FOUND_FREE}",
        metavar="PORT",
        default=0,
    )
    docker_host: str = option(
        "placement/docker_host",
        "an engine's address, for example ssh://ops@host-1",
        "The Docker engine. Default: the shell's own (DOCKER_HOST).",
    )
    subnet: str = option(
        "placement/subnet",
        "a /24, for example 10.77.9.0/24",
        f"A /24 subnet of the fleet's pool. {FOUND_FREE}",
        metavar="CIDR",
    )
    root: str = option(
        "storage/root",
        "a path, for example /srv/portals",
        "Mount point of the drive on the engine's host. Default: /srv/portals.",
    )
    email: str = option(
        "admin/email",
        "a mail address, for example head@oak.example",
        "E-mail address of the first admin. Default: admin@<lms>.",
    )
    mail: str = option(
        "mail/delivery",
        "direct or sink",
        "How mail leaves: direct, or sink (a page shows it; nothing is sent). Default: direct.",
    )

    def chosen(self) -> dict[str, str]:
        """What was said and not left to be found, by the key of the tenant file that it becomes."""
        return {each.key: str(value) for name, each in options().items() if (value := getattr(self, name))}

    def values(self, subnet: IPv4Network | str, port: int) -> dict[str, Any]:
        """The keys of the tenant file, sections as mappings, none of them empty."""
        derived = {
            "title": self.name.replace("-", " ").title(),
            "cms": f"studio.{self.lms}",
            "mail_host": f"mail.{self.lms}" if self.mail == "sink" else "",
            "email": f"admin@{self.lms}",
            "subnet": str(subnet),
            "port": port,
        }
        values: dict[str, Any] = {}
        for name, each in options().items():
            section, _, key = each.key.rpartition("/")
            if value := getattr(self, name) or derived.get(name):
                (values.setdefault(section, {}) if section else values)[key] = value
        return values


def options() -> dict[str, Option]:
    """What can be asked for, by the fields of a request, in the order of the tenant file."""
    return {
        each.name: each.metadata["option"] for each in fields(OnboardingRequest) if "option" in each.metadata
    }


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
        f"config/fleet.yml: pool: '{fleet.pool}' has no free /24 for another tenant, expected a "
        "larger pool, for example '10.64.0.0/12'"
    )


def free_port(
    tenants: Collection[Tenant], docker_host: str, address: str, others: Collection[ListenAddress] = ()
) -> int:
    """The first port from 8080 that no tenant of the machine has, and at which nothing (`others`) listens there."""
    here = machine(docker_host)
    taken = {each.listen.port for each in tenants if machine(each.placement.docker_host) == here}
    for port in range(FIRST_PORT, LAST_PORT + 1):
        listen = ListenAddress(address=address or LOOPBACK, port=port)
        if port not in taken and not any(each.conflicts_with(listen) for each in others):
            return port
    raise ConfigError(f"listen/port: no port from {FIRST_PORT} on is free on this machine")


def conflicts(request: OnboardingRequest, tenant: Tenant) -> list[str]:
    """Where an existing tenant is other than asked for, a line each; what was not said is as it is."""
    has = {key: current(tenant, key) for key in request.chosen()}
    return [
        f"tenants/{tenant.name}.yaml: {key}: is '{has[key]}', but you passed '{value}'; the tenant "
        f"exists already: edit its file and run `./portal up {tenant.name}`, or leave that option out"
        for key, value in request.chosen().items()
        if has[key] != value
    ]


def current(tenant: Tenant, key: str) -> str:
    """What a tenant has for a key of its file, as the file says it."""
    value: Any = tenant
    for part in key.split("/"):
        value = getattr(value, part)
    return str(value.name if isinstance(value, Release) else value)
