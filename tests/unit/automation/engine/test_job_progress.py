"""While a job runs, people see for how long and what it logged last."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from automation.engine import inventory, job_progress
from automation.errors import NoEngine
from config.tenant.tenant import Tenant
from tests.fake_engine import FakeEngine, container
from tests.programs import TENANTS, released

ACME = Tenant.load("acme", TENANTS)
LIMIT_SECONDS = 10.0


def engine(status: str, *jobs: str) -> FakeEngine:
    names = (*jobs, "lms", next(iter(ACME.worker_groups)))
    labels = {"portal.tenant": "acme", "portal.group": "ops"}
    return FakeEngine(
        containers={f"acme-{name}": container(labels={**labels, "portal.service": name}) for name in names},
        output=status,
    )


def lines(monkeypatch: pytest.MonkeyPatch, tenant: Tenant, there: FakeEngine, least: int) -> list[str]:
    """What is said until there are `least` lines."""
    messages: list[str] = []
    enough = threading.Event()

    @contextmanager
    def connect(host: str) -> Iterator[Any]:
        yield there

    def say(line: str) -> None:
        messages.append(line)
        if len(messages) >= least:
            enough.set()

    monkeypatch.setattr(inventory, "connect", connect)
    with job_progress.reported(tenant, say, every=0.01):
        assert enough.wait(LIMIT_SECONDS)
    return messages


def test_services_and_worker_groups_are_no_jobs() -> None:
    there = engine("Applying student.0001_initial... OK", "edxapp-migrations")
    assert job_progress.running_jobs(there, "acme") == {
        "edxapp-migrations": "Applying student.0001_initial... OK"
    }


def test_a_job_that_has_ended_is_not_reported() -> None:
    there = engine("x", "edxapp-migrations")
    there.there["acme-edxapp-migrations"]["State"]["Status"] = "exited"
    assert job_progress.running_jobs(there, "acme") == {}


@pytest.mark.parametrize(
    ("log", "line"),
    [("", ""), ("one\n\n  two \n   \n", "two"), ("a" * 500, "a" * job_progress.LONGEST_LINE)],
)
def test_the_last_line_of_a_log(log: str, line: str) -> None:
    assert job_progress.last_line(engine(log, "edxapp-migrations"), "acme-edxapp-migrations") == line


def test_a_line_says_for_how_long_and_what_was_logged_last(monkeypatch: pytest.MonkeyPatch) -> None:
    there = engine("Applying student.0001_initial... OK", "edxapp-migrations")
    first, *_ = lines(monkeypatch, ACME, there, least=2)
    assert first == "acme: edxapp-migrations runs, 0 s: Applying student.0001_initial... OK"


def test_the_real_open_edx_says_first_how_long_its_migrations_take(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = engine("Applying student.0001_initial... OK", "edxapp-migrations")
    first, second, third, *_ = lines(monkeypatch, released("acme", "redwood", tmp_path), there, least=3)
    assert "take 15 to 40 minutes" in first
    assert "edxapp-migrations runs" in second
    assert "edxapp-migrations runs" in third


def test_an_engine_that_does_not_answer_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(host: str) -> Any:
        raise NoEngine("no Docker engine answers")

    monkeypatch.setattr(inventory, "connect", connect)
    messages: list[str] = []
    with job_progress.reported(ACME, messages.append, every=0.01):
        pass
    assert messages == []


@pytest.mark.parametrize(
    ("seconds", "duration"), [(15, "15 s"), (119, "119 s"), (120, "2 min"), (1500, "25 min")]
)
def test_how_long(seconds: float, duration: str) -> None:
    assert job_progress.duration(seconds) == duration
