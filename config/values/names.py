"""Names of tenants, and the names on an engine that follow from them."""

import re
from collections.abc import Iterable

from config.reading.words import character, characters, quoted
from config.values import networks

SHORTEST, LONGEST = 3, 30
EXAMPLE = "'acme'"
_SHAPE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Every service that a portal of any release or add-on may have: no upgrade may make two tenants collide.
SERVICES = frozenset(
    (
        *("lms", "cms", "forum", "nginx", "rabbitmq", "mfe"),
        *("glados", "companion-cube", "compete", "learner-support", "lp-certs"),
        *(
            "lms-workers",
            "cms-workers",
            "glados-worker",
            "letsencrypt",
            "load-balancer",
            "mailer",
            "mail-sink",
            "cron",
        ),
        *("elasticsearch", "meilisearch", "memcached", "mongo", "mysql", "redis"),
    )
)
JOBS = frozenset(("storage-init", "edxapp-migrations", "create-admin", "assets", "backup", "restore"))
NETWORKS = frozenset((*networks.SUBNET_OFFSETS, networks.FORMERLY_ONE))
# Directories of the drive that are not called as their service.
DIRECTORIES = frozenset(("static", "media", "overrides", "rendered"))
# The services whose queues a tenant may give to workers in containers of their own, `<service>-<word>`.
WORKERS = ("lms-workers", "cms-workers")
LONGEST_GROUP = 40
GROUPS = frozenset(("openedx", "addons", "support", "data", "ops"))
# `<tenant>-<part>` is a container, network or volume of the tenant.
PARTS = SERVICES | JOBS | NETWORKS | DIRECTORIES
_ELSEWHERE = frozenset(
    (
        *("pulumi", "portal", "portals", "fleet", "edge", "all", "default"),
        *("docker", "bridge", "host", "none", "localhost"),
    )
)
RESERVED = PARTS | GROUPS | _ELSEWHERE


def workers_of(name: str) -> str:
    """The service of workers whose queues a container has, by its name."""
    return next(each for each in WORKERS if name == each or name.startswith(f"{each}-"))


def tenant(name: str) -> str:
    """The name itself; raises ValueError with what is wrong with it."""
    odd = [character(each) for each in name if not each.isascii()]
    if odd:
        raise ValueError(f"{quoted(name)} has {odd[0]}, expected ASCII letters")
    if not SHORTEST <= len(name) <= LONGEST:
        raise ValueError(f"{quoted(name)} has {characters(name)}, expected {SHORTEST} to {LONGEST}")
    if not _SHAPE.fullmatch(name):
        raise ValueError(
            f"{quoted(name)} is not a tenant name, expected lower case, digits and single hyphens"
        )
    if name in RESERVED:
        raise ValueError(
            f"{quoted(name)} is reserved, it already names a part of every portal or of the fleet"
        )
    if name.endswith("-ops") or "-ops-" in name:
        raise ValueError(
            f"{quoted(name)} reads like the ops containers of a tenant, expected no '-ops' in it"
        )
    return name


def clashes(tenants: Iterable[str], parts: frozenset[str] = PARTS) -> list[tuple[str, str]]:
    """Pairs of tenants (shorter, longer) of which a container, network or volume would have one name.

    `acme-lms` is a tenant's name and the container of acme; and with parts `certs` and `lp-certs`, the tenant
    `acme-lp` would have acme's `acme-lp-certs`. What reads like a worker group counts, whether there is one or not:
    a group that is added later must not meet a tenant that is there already.
    """
    known = set(tenants)
    inner = {
        whole.removesuffix(f"-{part}") for whole in parts for part in parts if whole.endswith(f"-{part}")
    }
    grouped = tuple(f"{each}-" for each in WORKERS)
    clashing = []
    for longer in sorted(known):
        words = longer.split("-")
        for cut in range(1, len(words)):
            shorter, rest = "-".join(words[:cut]), "-".join(words[cut:])
            if shorter in known and (rest in parts or rest in inner or rest.startswith(grouped)):
                clashing.append((shorter, longer))
    return clashing
