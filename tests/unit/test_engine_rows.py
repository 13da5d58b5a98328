"""The engine's rows, as facts."""

from typing import Any

import pytest

from automation.engine import Container, container, not_up


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
