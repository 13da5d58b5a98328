"""The engine's rows, as facts."""

import threading
from typing import Any

import pytest

from automation.engine.inventory import Container, container, not_up, wait_healthy
from automation.errors import Cancelled
from config.tenant.tenant import Tenant
from tests.programs import TENANTS


def row(state: str, status: str) -> dict[str, Any]:
    labels = {"portal.service": "lms", "portal.group": "openedx"}
    return {
        "Names": ["/acme-lms"],
        "State": state,
        "Status": status,
        "Labels": labels,
        "Image": "portals/x:1",
    }


@pytest.mark.parametrize(
    ("state", "status", "health", "up"),
    [
        ("running", "Up 3 seconds (healthy)", "healthy", True),
        ("running", "Up 3 seconds (health: starting)", "starting", False),
        ("running", "Up 2 minutes (unhealthy)", "unhealthy", False),
        ("running", "Up 2 minutes", "", True),
        ("exited", "Exited (137) 2 minutes ago", "", False),
        ("created", "Created", "", False),
        ("restarting", "Restarting (1) 2 seconds ago", "", False),
    ],
)
def test_health_is_read_from_the_status(state: str, status: str, health: str, up: bool) -> None:
    told = container(row(state, status))
    assert (told.health, told.up) == (health, up)


def test_a_service_without_a_container_is_missing() -> None:
    healthy = Container(
        service="lms", name="a", group="openedx", state="running", health="healthy", image="x"
    )
    assert [(each.service, each.state) for each in not_up([healthy], ["lms", "cms"])] == [("cms", "missing")]


class Silent:
    """An engine with no container at all."""

    def containers(self, **how: Any) -> list[dict[str, Any]]:
        return []


def test_a_wait_for_health_ends_when_it_is_cancelled() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled, match="portal demo: the wait was cancelled"):
        wait_healthy(Silent(), Tenant.load("demo", TENANTS), 60.0, cancel)


def test_a_wait_for_health_has_a_limit() -> None:
    tenant = Tenant.load("demo", TENANTS)
    assert {each.state for each in wait_healthy(Silent(), tenant, 0.0)} == {"missing"}
