"""Which containers have no limit of processes, and what is asked of the engine for them."""

from typing import Any

import docker.errors

from automation.engine import process_limits
from automation.engine.inventory import Container


class Engine:
    """An engine's answers: the limits that containers have, and what was asked to be changed."""

    base_url = "http+docker://localhost"
    api_version = "1.41"
    timeout = 60

    def __init__(self, **found: int | None) -> None:
        self.found = found
        self.asked: list[tuple[str, Any]] = []

    def inspect_container(self, name: str) -> dict[str, Any]:
        if name not in self.found:
            raise docker.errors.NotFound("gone")
        return {"HostConfig": {"PidsLimit": self.found[name]}}

    def post(self, url: str, json: Any, timeout: float) -> "Engine":
        self.asked.append((url, json))
        return self

    def raise_for_status(self) -> None:
        pass


def container(name: str, state: str = "running") -> Container:
    return Container(service=name, name=name, group="openedx", state=state, health="", image="x")


def test_those_that_run_without_get_it_and_no_other() -> None:
    engine = Engine(none=None, right=process_limits.PROCESSES, other=100, ended=None)
    found = [
        container("none"),
        container("right"),
        container("other"),
        container("ended", "exited"),
        # Removed between the list and the look.
        container("gone"),
    ]
    assert process_limits.hold(engine, found) == ["none", "other"]
    assert engine.asked == [
        (f"http+docker://localhost/v1.41/containers/{each}/update", {"PidsLimit": process_limits.PROCESSES})
        for each in ("none", "other")
    ]
