"""What a portal's services say, and where its pages are."""

import queue
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

from automation.engine import inventory
from automation.errors import NotUp
from config.portal.routes import addresses
from config.reading.errors import ConfigError
from config.reading.words import comma_separated, did_you_mean
from config.tenant.tenant import Tenant

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SINCE = re.compile(r"([0-9]{1,9})([smhd])")


def address(tenant: Tenant, service: str) -> str:
    """The URL of a service that people open. Raises ConfigError for any other."""
    known = addresses(tenant)
    if service not in known:
        raise ConfigError(
            f"tenants/{tenant.name}.yaml: '{service}' has no page{did_you_mean(service, known) or ';'} "
            f"services with one: {comma_separated(known)}"
        )
    return known[service]


def seconds(since: str) -> int:
    """A time back from now. Raises ConfigError."""
    match = _SINCE.fullmatch(since)
    if not match:
        raise ConfigError(
            f"--since: '{since}' is not a duration, expected a number and s, m, h or d, for example '10m'"
        )
    return int(match[1]) * UNITS[match[2]]


def logs(
    tenant: Tenant, service: str = "", *, follow: bool = False, since: str = "", tail: int = 100
) -> Iterator[tuple[str, str]]:
    """Each line, and the service that said it, of one service or of all. With `follow` they go on until the reader stops.

    Raises ConfigError for a service that the portal has not, NotUp where it has none at all, and NoEngine.
    """
    start = int(time.time()) - seconds(since) if since else None
    with inventory.connect(tenant.placement.docker_host) as client:
        containers = inventory.containers(client, tenant.name)
        chosen = [each for each in containers if service in ("", each.service)]
        if not chosen:
            known = [each.service for each in containers]
            if not known:
                raise NotUp(
                    f"portal {tenant.name} is not up: it has no container; run ./portal up {tenant.name}"
                )
            raise ConfigError(
                f"portal {tenant.name} has no service '{service}'{did_you_mean(service, known) or ';'} "
                f"there are: {comma_separated(known)}"
            )
        options = {"since": start, "tail": tail or "all", "stdout": True, "stderr": True}
        if follow:
            yield from follow_logs(client, chosen, options)
            return
        for each in chosen:
            for line in client.logs(each.name, **options).decode(errors="replace").splitlines():
                yield each.service, line


def follow_logs(
    client: Any, chosen: list[inventory.Container], options: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """Lines as they come, of several containers at a time, until all have ended."""
    from docker.errors import APIError
    from requests import RequestException

    lines: queue.Queue[tuple[str, str] | None] = queue.Queue(maxsize=1000)

    def read(each: inventory.Container) -> None:
        rest = b""
        try:
            for part in client.logs(each.name, stream=True, follow=True, **options):
                *whole, rest = (rest + part).split(b"\n")
                for line in whole:
                    lines.put((each.service, line.decode(errors="replace").rstrip("\r")))
            if rest:
                lines.put((each.service, rest.decode(errors="replace")))
        except (APIError, RequestException) as error:
            # The others go on.
            lines.put((each.service, f"(its log can no longer be read: {error})"))
        finally:
            lines.put(None)

    for each in chosen:
        threading.Thread(target=read, args=(each,), daemon=True).start()
    left = len(chosen)
    while left:
        line = lines.get()
        if line is None:
            left -= 1
        else:
            yield line
