"""Ctrl-C: once and what has begun is ended or left where the next command goes on, twice and it ends at once."""

import os
import signal
import time

import pytest

from config.portal.labels import tenant_filter
from testbed.checkout import Running
from testbed.light import LightPortals
from testbed.trial import Trial
from testbed.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

HEAVY = "lms-workers-heavy"
DAY = 86400
# Far below a grace, far above what a busy machine takes to end a few processes.
PROMPT_SECONDS = 45.0


@pytest.fixture
def willow(fleet: LightPortals) -> Trial:
    """A light portal with a worker that has a day to end its task, and is at one that takes as long."""
    made = fleet.trial(1)
    made.write(worker_groups={HEAVY: {"queues": ["high_mem"], "memory": "192MiB", "grace_seconds": DAY}})
    made.up()
    # Stopped, it cannot hear that it is to end.
    made.objects.client.kill(f"{made.name}-{HEAVY}", "SIGSTOP")
    return made


def stopping(portal: Trial, *words: str) -> Running:
    """A `destroy` that has told the worker to stop, and waits for it."""
    # A shell gives what it runs in the background a SIGINT that means nothing, and these tests may be that.
    wrapper = ("env", "--default-signal=INT")
    running = portal.checkout.start(*wrapper, "./portal", "destroy", *words, "--confirm", portal.name)

    def begun() -> bool:
        # It is told as soon as the lms, on which as little depends.
        return running.process.poll() is not None or f"/{portal.name}-lms" not in listed(portal)

    until("the lms to go", begun, limit=120)
    assert running.process.poll() is None, str(running.result(0))
    return running


def listed(portal: Trial) -> dict[str, str]:
    """The id of each container by its name, as the engine lists them: some go while they are looked at."""
    containers = portal.objects.client.containers(all=True, filters=tenant_filter(portal.name))
    return {each["Names"][0]: each["Id"] for each in containers}


def worker(portal: Trial) -> str:
    """The worker's container."""
    return listed(portal)[f"/{portal.name}-{HEAVY}"]


def test_ctrl_c_in_a_destroy_does_not_wait_for_a_days_grace(willow: Trial) -> None:
    """Nothing is killed that has a day; the next `up` makes it new, because it will end some time.

    So does SIGTERM where no run is under way, as in a CI job that is cancelled: blocks are left in order.
    """
    looking = willow.checkout.start("./portal", "logs", willow.name, "--follow")
    until("the first line", lambda: looking.result(0).out, limit=60)
    looking.process.send_signal(signal.SIGTERM)
    ran = looking.wait(20)
    assert ran.code == 130, str(ran)
    assert "Traceback" not in ran.output, str(ran)
    running = stopping(willow, willow.name)
    before = worker(willow)
    began = time.monotonic()
    os.killpg(running.process.pid, signal.SIGINT)
    ran = running.wait(PROMPT_SECONDS)
    print(f"ended {time.monotonic() - began:.1f} s after Ctrl-C")
    assert ran.code == 130, str(ran)
    assert "cancelling: ending what has begun, in at most 30 s" in ran.output, str(ran)
    assert "Traceback" not in ran.output, str(ran)
    assert worker(willow) == before
    # It is asked again to stop, and this time it hears.
    willow.objects.client.kill(before, "SIGCONT")
    willow.up()
    willow.assert_whole()


@pytest.mark.slow
def test_a_second_ctrl_c_ends_it_at_once_and_the_same_command_goes_on(willow: Trial) -> None:
    running = stopping(willow, willow.name)
    os.killpg(running.process.pid, signal.SIGINT)
    until(
        "the first to be heard",
        lambda: "cancelling" in running.result(0).output or running.process.poll() is not None,
    )
    began = time.monotonic()
    if running.process.poll() is None:
        os.killpg(running.process.pid, signal.SIGINT)
    ran = running.wait(20)
    print(f"ended {time.monotonic() - began:.1f} s after the second Ctrl-C")
    assert ran.code == 130, str(ran)
    willow.objects.client.kill(worker(willow), "SIGCONT")
    willow.destroy()
    assert not willow.objects.ids(willow.name)
    willow.assert_quiet()


@pytest.mark.slow
def test_a_fleets_destroy_ends_as_promptly(willow: Trial) -> None:
    """The workers are told, each run is cancelled, and `--all` has an outcome for every tenant."""
    running = stopping(willow, "--all", "--json")
    os.killpg(running.process.pid, signal.SIGTERM)
    ran = running.wait(PROMPT_SECONDS)
    assert ran.facts()["tenants"][willow.name]["exit_code"] == 130, str(ran)
    willow.objects.client.kill(worker(willow), "SIGCONT")
    willow.destroy()
    assert not willow.objects.ids(willow.name)
