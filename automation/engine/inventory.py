"""A portal's containers, networks and volumes as its engine has them.

docker-py is loaded where an engine is asked, here and elsewhere: it takes half as long as all else, and a preview asks none.
"""

import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from automation.errors import Cancelled, NoEngine, PortalError
from config.portal.labels import GROUP, SERVICE, tenant_filter
from config.tenant.tenant import Tenant
from preflight import connection

LIMIT_SECONDS = 60
POLL_SECONDS = 0.25
_EXITED = re.compile(r"Exited \((\d+)\)")


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container of a portal: what `docker ps` and its health probe say."""

    service: str
    name: str
    group: str
    state: str
    health: str
    image: str
    # As the engine's list has it, of one that has ended.
    exit_code: str = ""

    @property
    def up(self) -> bool:
        """Whether it runs and its probe has succeeded."""
        return self.state == "running" and self.health in ("healthy", "")


@contextmanager
def connect(docker_host: str = "", *, limit: float = LIMIT_SECONDS, first: float = 0) -> Iterator[Any]:
    """A low-level client of the engine; each answer has `limit` seconds, with `first` the first one that many.

    Raises NoEngine with the engine's address and the remedy.
    """
    import docker
    import requests

    with ExitStack() as held:
        try:
            way = held.enter_context(connection.client_arguments(docker_host))
            client = docker.APIClient(**way, timeout=first or limit)
            held.callback(client.close)
            client.ping()
            client.timeout = limit
        except connection.Refused as error:
            raise NoEngine(str(error)) from None
        except (docker.errors.DockerException, requests.RequestException, OSError) as error:
            where = docker_host or "DOCKER_HOST or /var/run/docker.sock"
            start = "start it with `./portal engine start`"
            if docker_host.startswith(("ssh://", "tcp://")):
                start = "check that it runs, and that this user may use it"
            raise NoEngine(f"no Docker engine answers at {where}: {error}; {start}") from None
        try:
            yield client
        except (docker.errors.APIError, requests.RequestException) as error:
            raise PortalError(f"the Docker engine: {getattr(error, 'explanation', None) or error}") from error


def containers(client: Any, tenant: str) -> list[Container]:
    """Every container that carries the tenant's label, by service name."""
    listed = client.containers(all=True, filters=tenant_filter(tenant))
    return sorted((container(each) for each in listed), key=lambda each: each.service)


def objects(client: Any, tenant: str) -> tuple[list[Container], list[str], list[str]]:
    """A tenant's containers, and the names of its networks and volumes."""
    label = tenant_filter(tenant)
    return (
        containers(client, tenant),
        [each["Name"] for each in client.networks(filters=label)],
        [each["Name"] for each in client.volumes(filters=label)["Volumes"] or []],
    )


def container(listed: dict[str, Any]) -> Container:
    """A row of the engine's list as a Container. Health and exit code stand in its status: `Up 3 s (healthy)`, `Exited (0) …`."""
    labels = listed.get("Labels") or {}
    status = listed.get("Status", "")
    health = status.rpartition("(")[2].rstrip(")").removeprefix("health: ") if "(" in status else ""
    return Container(
        service=labels.get(SERVICE, "?"),
        group=labels.get(GROUP, "?"),
        name=listed["Names"][0].lstrip("/"),
        state=listed["State"],
        health=health
        if listed["State"] == "running" and health in ("healthy", "unhealthy", "starting")
        else "",
        image=listed["Image"],
        exit_code=ended[1] if listed["State"] == "exited" and (ended := _EXITED.match(status)) else "",
    )


def wait_healthy(
    client: Any, tenant: Tenant, limit: float, cancel: threading.Event | None = None
) -> list[Container]:
    """Wait until every service of the release is up; return those that are not after `limit` seconds.

    Raises Cancelled once `cancel` is set.
    """
    end = time.monotonic() + limit
    stop = cancel or threading.Event()
    while True:
        late = not_up(containers(client, tenant.name), tenant.stays_up)
        if not late or time.monotonic() > end:
            return late
        if stop.wait(POLL_SECONDS):
            raise Cancelled(f"portal {tenant.name}: the wait was cancelled; safe to re-run")


def not_up(containers: Iterable[Container], services: Iterable[str]) -> list[Container]:
    """The services that are not up; one that has no container at all counts as `missing`."""
    by_name = {each.service: each for each in containers}
    return [
        by_name.get(name) or Container(service=name, name="", group="", state="missing", health="", image="")
        for name in sorted(services)
        if not (name in by_name and by_name[name].up)
    ]
