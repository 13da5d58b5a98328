"""The engine's events as the lives of containers, and the longest chain among them."""

from typing import Any

import pytest

from benchmarks import events
from benchmarks.events import ContainerTimes


def test_the_chain_leads_back_over_the_latest_dependency() -> None:
    times = {
        "init": ContainerTimes(create=1.0, start=1.5, die=2.0),
        "redis": ContainerTimes(create=2.0, start=2.2, healthy=3.0),
        "mysql": ContainerTimes(create=2.1, start=2.6, healthy=6.0),
        "lms": ContainerTimes(create=6.5, start=7.0, healthy=9.0),
    }
    after = {"redis": ["init"], "mysql": ["init"], "lms": ["mysql", "redis"]}
    chain = events.chain(times, after, seconds=9.4)
    assert [each.service for each in chain.steps] == ["init", "mysql", "lms"]
    assert chain.head == 1.0
    assert chain.tail == pytest.approx(0.4)
    assert chain.steps[2].gap == pytest.approx(0.5)
    whole = chain.head + chain.tail + sum(each.gap + each.make + each.run for each in chain.steps)
    assert whole == pytest.approx(9.4)


def test_a_container_made_early_waits_before_its_start() -> None:
    times = {
        "init": ContainerTimes(create=1.0, start=1.1, die=2.0),
        "lms": ContainerTimes(create=1.0, start=2.4, healthy=3.0),
    }
    chain = events.chain(times, {"lms": ["init"]}, seconds=3.0)
    assert chain.steps[1].gap == 0.0
    assert chain.steps[1].make == pytest.approx(0.4)


def test_only_the_first_event_of_a_kind_counts() -> None:
    def event(action: str, at: float) -> dict[str, Any]:
        return {"Action": action, "timeNano": at * 1e9, "Actor": {"Attributes": {"name": "acme-lms"}}}

    times = events.container_times(
        [event("start", 11), event("health_status: healthy", 12), event("health_status: healthy", 15)],
        begin=10,
        prefix="acme-",
    )
    assert times == {"lms": ContainerTimes(start=1.0, healthy=2.0)}


def test_a_removal_has_layers() -> None:
    times = {
        "lms": ContainerTimes(kill=1.0, die=1.5, destroy=1.8),
        "cms": ContainerTimes(kill=1.1, die=1.6, destroy=2.5),
        "init": ContainerTimes(destroy=2.6),
        "mysql": ContainerTimes(kill=2.7, die=3.0, destroy=3.2),
    }
    removal = events.removal(times, seconds=4.0)
    assert [(each.containers, each.slowest) for each in removal.layers] == [
        (2, "cms"),
        (1, "init"),
        (1, "mysql"),
    ]
    assert removal.head == 1.0
    assert removal.tail == pytest.approx(0.8)
