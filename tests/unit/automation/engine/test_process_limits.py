"""Which containers have no limit of processes, and what is asked of the engine for them."""

from automation.engine import process_limits
from automation.engine.inventory import Container
from tests import fake_engine
from tests.fake_engine import FakeEngine


def container(name: str, state: str = "running") -> Container:
    return Container(service=name, name=name, group="openedx", state=state, health="", image="x")


def test_those_that_run_without_get_it_and_no_other() -> None:
    limits = {"none": None, "right": process_limits.PROCESSES, "other": 100, "ended": None}
    engine = FakeEngine(
        containers={
            name: fake_engine.container(HostConfig={"PidsLimit": limit}) for name, limit in limits.items()
        }
    )
    containers = [
        container("none"),
        container("right"),
        container("other"),
        container("ended", "exited"),
        # Removed between the list and the look.
        container("gone"),
    ]
    assert process_limits.apply_limits(engine, containers) == ["none", "other"]
    assert engine.requests == [
        f'post /v1.41/containers/{each}/update {{"PidsLimit": {process_limits.PROCESSES}}}'
        for each in ("none", "other")
    ]
