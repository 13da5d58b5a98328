"""What the state has and the engine lacks."""

from typing import Any

import pytest

from automation.engine.inventory import Container
from automation.runs.drift import missing
from config.portal.resource_types import CONTAINER, NETWORK, VOLUME


def state(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"deployment": {"resources": list(resources)}}


def resource(kind: str, name: str, **outputs: object) -> dict[str, Any]:
    return {"type": kind, "inputs": {"name": name}, "outputs": outputs}


def running(name: str, how: str = "running") -> Container:
    return Container(service=name, name=name, group="data", state=how, health="", image="x")


@pytest.mark.parametrize(
    ("resource_facts", "containers", "expected"),
    [
        (resource(CONTAINER, "a-lms"), [running("a-lms")], []),
        (resource(CONTAINER, "a-lms"), [running("a-lms", "exited")], ["a-lms"]),
        (resource(CONTAINER, "a-lms"), [], ["a-lms"]),
        (resource(CONTAINER, "a-job", mustRun=False), [running("a-job", "exited")], []),
        (resource(CONTAINER, "a-job", mustRun=False), [], ["a-job"]),
        ({**resource(CONTAINER, "a-lms"), "delete": True}, [], []),
        (resource(NETWORK, "net"), [], []),
        (resource(NETWORK, "gone"), [], ["gone"]),
        (resource(VOLUME, "vol"), [], []),
        (resource("random:index/randomPassword:RandomPassword", "x"), [], []),
    ],
)
def test_missing(resource_facts: dict[str, Any], containers: list[Container], expected: list[str]) -> None:
    assert missing(state(resource_facts), containers, ["net"], ["vol"]) == expected


def test_a_stack_that_was_never_up_misses_nothing() -> None:
    assert missing({"deployment": None}, [], [], []) == []
