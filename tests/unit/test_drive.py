"""Questions to the drive leave nothing on the engine, however they end."""

from collections.abc import Mapping
from typing import Any

import pytest

from automation import drive
from automation.errors import PortalError
from preflight import helper

NOW = 100_000.0


class Engine:
    """An engine's containers, in memory."""

    def __init__(self, *, exit_code: int = 0) -> None:
        self.exit_code = exit_code
        self.there: dict[str, dict[str, Any]] = {}

    def add(self, name: str, status: str, age: float, label: str = helper.LABEL) -> None:
        """One that is there already."""
        self.there[name] = {"Id": name, "Created": NOW - age, "status": status, "label": label}

    def containers(self, *, all: bool, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            each
            for each in self.there.values()
            if each["label"] == filters["label"] and each["status"] in filters["status"]
        ]

    def create_host_config(self, **how: Any) -> dict[str, Any]:
        return how

    def create_container(self, image: str, **how: Any) -> dict[str, Any]:
        assert how["network_disabled"]
        (label,) = how["labels"]
        self.add("made", "created", 0, label)
        return {"Id": "made"}

    def start(self, name: str) -> None:
        self.there[name]["status"] = "running"

    def wait(self, name: str, timeout: float) -> dict[str, Any]:
        self.there[name]["status"] = "exited"
        return {"StatusCode": self.exit_code}

    def logs(self, name: str) -> bytes:
        return b" said\n"

    def remove_container(self, name: str, force: bool = False) -> None:
        del self.there[name]


def test_an_answer_leaves_nothing() -> None:
    engine = Engine()
    assert drive.run(engine, "/srv/portals", "true") == "said"
    assert drive.has_sentinel(engine, "/srv/portals")
    assert engine.there == {}


def test_a_failure_leaves_nothing() -> None:
    engine = Engine(exit_code=1)
    with pytest.raises(PortalError, match="/srv/portals: said"):
        drive.run(engine, "/srv/portals", "false")
    assert engine.there == {}


def test_what_killed_commands_left_goes_and_nothing_else() -> None:
    engine = Engine()
    engine.add("killed before its start", "created", 2 * helper.LEFT_SECONDS)
    engine.add("killed after its end", "exited", 2 * helper.LEFT_SECONDS)
    engine.add("still deleting", "running", 2 * helper.LEFT_SECONDS)
    engine.add("being read just now", "exited", 1)
    engine.add("somebody else's", "exited", 2 * helper.LEFT_SECONDS, label="")
    helper.sweep(engine, NOW)
    assert set(engine.there) == {"still deleting", "being read just now", "somebody else's"}
