"""The sections of a tenant file: for each key its type, default, check, manual and example."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network

from config.reading.keys import number, text, texts
from config.values import checks, drive_paths, placement
from config.values.host_names import host


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """The names under which browsers reach the portal."""

    lms: str = field(metadata=text(host, "Host name of the learners' site (LMS).", "learn.acme.com"))
    cms: str = field(metadata=text(host, "Host name of the authors' site (Studio).", "studio.acme.com"))
    mail: str = field(
        default="",
        metadata=text(
            checks.OrNothing(host),
            "Host name of the page that shows the mail of a portal with mail/delivery sink; only for those.",
            "mail.acme.com",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Listen:
    """The address on which the load balancer listens on its host, in plain HTTP."""

    address: str = field(
        default="127.0.0.1",
        metadata=text(
            placement.listen_address,
            "An IPv4 address of the host, or 0.0.0.0 for all that it has.",
            "127.0.0.1",
        ),
    )
    port: int = field(
        metadata=number(
            placement.listen_port,
            "80, 443 or 1024 to 65535; no other portal of the machine may use it on that address.",
            8080,
        )
    )


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The engine that runs the portal, and its subnet."""

    docker_host: str = field(
        default="",
        metadata=text(
            placement.docker_host,
            "unix:///path, tcp://host:port or ssh://user@host; empty: the engine of DOCKER_HOST or, "
            "without it, of the local socket.",
            "ssh://ops@docker1.example.com",
        ),
    )
    subnet: IPv4Network = field(
        metadata=text(
            placement.subnet,
            "A /24 of the fleet's pool (config/fleet.yml) that no other tenant has; the portal's networks are "
            "cut from it.",
            "10.77.2.0/24",
        )
    )


@dataclass(frozen=True, kw_only=True)
class Storage:
    """The mount point of the drive on every host, and how much of it the portal may use."""

    root: str = field(
        default="/srv/portals",
        metadata=text(
            drive_paths.root,
            "Mount point of the drive on every host; the portal's data is below it, in the tenant's directory.",
            "/srv/portals",
        ),
    )
    quota: str = field(
        default="",
        metadata=text(
            checks.OrNothing(checks.quota),
            "How much of the drive the portal may use, from 2GiB on; `./portal status` and `up` warn from 80 %; empty: no limit.",
            "20GiB",
        ),
    )

    @property
    def quota_mib(self) -> int:
        """The quota in MiB; 0 for none."""
        return checks.size(self.quota) if self.quota else 0


@dataclass(frozen=True, kw_only=True)
class Admin:
    """The portal's first administrator."""

    email: str = field(
        metadata=text(
            checks.email,
            "E-mail address: gets the portal's mail, and is shown as its contact.",
            "admin@acme.com",
        )
    )
    username: str = field(
        default="admin",
        metadata=text(checks.username, "2 to 30 letters, digits and '_.@+-'.", "admin"),
    )


@dataclass(frozen=True, kw_only=True)
class Mail:
    """How the portal's mail leaves."""

    delivery: str = field(
        default="direct",
        metadata=text(
            checks.OneOf(("direct", "smarthost", "sink")),
            "direct (to the mail servers of each recipient's domain), smarthost (all to one server, which sends "
            "it on) or sink (nowhere: a page shows it).",
            "direct",
        ),
    )
    smarthost: str = field(
        default="",
        metadata=text(
            checks.OrNothing(checks.smarthost),
            "The smarthost and its port: 587 (STARTTLS) or 465 (TLS); only for delivery smarthost.",
            "smtp.example.com:587",
        ),
    )
    username: str = field(
        default="",
        metadata=text(
            checks.account, "The user at the smarthost; only for delivery smarthost.", "portal@acme.com"
        ),
    )
    domains: tuple[str, ...] = field(
        default=(),
        metadata=texts(
            host,
            "The domains from which the portal may send mail; empty: the domain of hosts/lms.",
            "[acme.com]",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Size:
    """A service's memory limit in MiB and its processes; 0 where it has none to choose."""

    memory: int = field(
        metadata=text(
            checks.memory,
            "Memory limit, swap included; at least what the service needs to start, at most 64GiB.",
            "512MiB",
        )
    )
    workers: int = field(
        metadata=number(
            checks.Between(1, 64),
            "Number of processes, 1 to 64; only for services where it can be chosen.",
            2,
        )
    )


@dataclass(frozen=True, kw_only=True)
class WorkerGroup:
    """Workers of some queues in a container of their own. Memory in MiB, grace in seconds."""

    queues: tuple[str, ...] = field(
        metadata=texts(
            checks.queue,
            "The queues that it takes over from the service at the beginning of its name, which keeps at least one.",
            "[high_mem]",
        )
    )
    memory: int = field(metadata=text(checks.memory, "Memory limit; default: that service's.", "768MiB"))
    workers: int = field(
        metadata=number(checks.Between(1, 64), "Tasks at a time, 1 to 64; default: that service's.", 1)
    )
    grace_seconds: int = field(
        metadata=number(
            checks.Between(30, 86400),
            "Seconds that a redeploy gives its tasks before it kills and repeats them, 30 to 86400; "
            "default: that service's.",
            600,
        )
    )
