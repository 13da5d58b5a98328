"""One command over many tenants: real workers, and the outcomes they come to."""

import os
import signal
import threading
from multiprocessing import Pipe
from pathlib import Path

import pytest

from automation.errors import Locked, NoEngine
from automation.fleet import outcome, worker, worker_pool
from automation.fleet.outcome import Outcome
from automation.portals.onboarding_request import OnboardingRequest
from automation.runs import workspaces
from automation.runs.plan import Plan
from config.reading.errors import ConfigError
from testbed.processes import processes


def test_every_tenant_has_an_outcome_in_the_order_given() -> None:
    messages: list[str] = []
    outcomes = worker_pool.for_each_tenant(
        "status", ["no-such-b", "no-such-a"], workers=2, on_outcome=lambda one: messages.append(one.tenant)
    )
    assert [(each.tenant, each.exit_code) for each in outcomes] == [("no-such-b", 2), ("no-such-a", 2)]
    assert "tenants/no-such-b.yaml: does not exist" in outcomes[0].reason
    assert sorted(messages) == ["no-such-a", "no-such-b"]


def test_a_worker_that_is_killed_costs_its_own_tenant_alone() -> None:
    struck: list[int] = []

    def strike(one: Outcome) -> None:
        if one.tenant == "no-such-a":
            ours = (each for each in processes() if each.parent == os.getpid())
            (victim,) = (each.pid for each in ours if "automation.fleet.worker" in each.words)
            struck.append(victim)
            signal.pidfd_send_signal(handle := os.pidfd_open(victim), signal.SIGKILL)
            os.close(handle)

    outcomes = worker_pool.for_each_tenant(
        "status", ["no-such-a", "no-such-b", "no-such-c"], workers=1, on_outcome=strike
    )
    assert struck
    assert [each.exit_code for each in outcomes] == [2, 1, 2]
    assert "was killed by signal 9" in outcomes[1].reason


def test_a_cancelled_fleet_begins_nothing_more() -> None:
    cancel = threading.Event()
    outcomes = worker_pool.for_each_tenant(
        "status", ["no-such-a", "no-such-b"], workers=1, on_outcome=lambda one: cancel.set(), cancel=cancel
    )
    assert [each.exit_code for each in outcomes] == [2, 130]


def test_each_is_onboarded_by_a_request_of_its_own() -> None:
    requests = [
        OnboardingRequest(name="no-such-a", lms="no host"),
        OnboardingRequest(name="No_Such_B", lms="b.example"),
    ]
    outcomes = worker_pool.for_each_tenant("onboard", requests, workers=1)
    assert [(each.tenant, each.exit_code) for each in outcomes] == [("no-such-a", 2), ("No_Such_B", 2)]
    assert "no host" in outcomes[0].reason
    assert "No_Such_B" in outcomes[1].reason


def test_progress_says_whose_it_is() -> None:
    ours, theirs = Pipe()
    for text in ("portal: 38.0 s", "oak: lms is up"):
        worker.send_progress(theirs, "oak", text)
    assert [ours.recv(), ours.recv()] == ["oak: portal: 38.0 s", "oak: lms is up"]


@pytest.mark.parametrize(
    ("error", "code"),
    [(NoEngine("none"), 5), (Locked("busy"), 4), (ConfigError("bad"), 2), (ValueError("odd"), 1)],
)
def test_a_failure_becomes_its_exit_code_and_reason(error: Exception, code: int) -> None:
    def fails() -> None:
        raise error

    failed = outcome.outcome_of("acme", fails)
    assert failed.exit_code == code
    assert str(error) in failed.reason


def test_a_plan_and_facts_are_kept_apart() -> None:
    plan = Plan(tenant="acme", changes=())
    assert outcome.outcome_of("acme", lambda: plan).plan is plan
    assert outcome.outcome_of("acme", lambda: {"healthy": True}).as_json()["healthy"]


@pytest.mark.parametrize(("codes", "whole"), [([0, 0], 0), ([0, 5], 5), ([5, 5], 5), ([5, 6, 0], 1)])
def test_the_exit_code_of_many(codes: list[int], whole: int) -> None:
    assert outcome.exit_code([Outcome(tenant="a", exit_code=each) for each in codes]) == whole


def test_runs_beside_each_other_have_slots_of_their_own(tmp_path: Path) -> None:
    with workspaces.claim(tmp_path) as one, workspaces.claim(tmp_path) as other:
        assert one.work != other.work
        assert one.home != other.home
        assert (one.work / "Pulumi.yaml").read_text().startswith("name: portals")
    with workspaces.claim(tmp_path) as again:
        assert again == one
