"""The engine's rows, as facts."""

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from automation.engine import inventory
from automation.engine.inventory import Container, container, not_up, wait_healthy
from automation.errors import Cancelled, NoEngine, PortalError
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
    parsed = container(row(state, status))
    assert (parsed.health, parsed.up) == (health, up)


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


@contextmanager
def slow_engine(socket: Path, *, first: float, then: float) -> Iterator[str]:
    """An engine that takes `first` seconds to say that it is there, and `then` for all else; its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(first if self.path.endswith("_ping") else then)
            body = b'{"ApiVersion": "1.41", "ID": "slow"}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "here"

        def log_message(self, *words: object) -> None:
            """Nobody reads it."""

    with socketserver.ThreadingUnixStreamServer(str(socket), Answer) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            yield f"unix://{socket}"
        finally:
            server.shutdown()
            serving.join()


def test_an_engine_has_another_time_for_its_first_answer_than_for_the_others(tmp_path: Path) -> None:
    with (
        slow_engine(tmp_path / "s", first=0.5, then=2) as address,
        pytest.raises(PortalError, match="timed out"),
        inventory.connect(address, limit=0.1, first=60) as client,
    ):
        client.info()


def test_one_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    with (
        slow_engine(tmp_path / "s", first=1, then=0) as address,
        pytest.raises(NoEngine, match="no Docker engine answers at unix://"),
        inventory.connect(address, limit=20, first=0.1),
    ):
        pass
