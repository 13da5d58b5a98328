"""A portal with a worker group: its tasks are done in a container of their own, which ends none half-way."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from testbed.checkout import temporary_checkout
from testbed.objects import Objects
from testbed.trial import Trial
from testbed.waiting import until
from tests.e2e.pages import Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

HEAVY = "lms-workers-heavy"
GRACE_SECONDS = 60
DONE = re.compile(r"grade_report\[[0-9a-f-]+\] succeeded")


@pytest.fixture(scope="module")
def ash(objects: Objects) -> Iterator[Trial]:
    """A whole portal whose high_mem has workers of its own."""
    with temporary_checkout("e2e-workers", ["e2e-ash"], objects) as checkout:
        made = Trial(name="e2e-ash", checkout=checkout, objects=objects, root=checkout.drive)
        made.write(
            worker_groups={
                HEAVY: {"queues": ["high_mem"], "memory": "256MiB", "grace_seconds": GRACE_SECONDS}
            }
        )
        made.up()
        yield made


@pytest.fixture
def admin(page: Page, ash: Trial) -> Page:
    """The admin's dashboard."""
    Visitor(page=page, portal=ash).log_in(*ash.admin_credentials())
    page.goto(ash.url("/dashboard"))
    return page


def log_of(trial: Trial, service: str) -> str:
    """What a container has logged."""
    log = trial.objects.client.logs(f"{trial.name}-{service}")
    return str(log.decode(errors="replace"))


def ask(page: Page) -> None:
    """Ask for a grade report, a task of high_mem."""
    page.get_by_role("button", name="Make a grade report").click()
    expect(page.get_by_role("heading", name="Grade report")).to_be_visible()


def reported(page: Page) -> bool:
    """Whether the dashboard has the report that was asked for last."""
    page.reload()
    return page.get_by_text("to be graded in").is_visible()


@contextmanager
def standing(trial: Trial, service: str) -> Iterator[None]:
    """A service that does nothing for a while: what asks it waits."""
    name = f"{trial.name}-{service}"
    trial.objects.client.kill(name, "SIGSTOP")
    try:
        yield
    finally:
        trial.objects.client.kill(name, "SIGCONT")


def test_the_group_is_a_container_with_its_queues_its_memory_and_its_grace(ash: Trial) -> None:
    ash.assert_whole()
    inspection = ash.objects.containers(ash.name)[HEAVY]
    assert "OPENEDX_QUEUES=high_mem" in inspection["Config"]["Env"]
    assert inspection["HostConfig"]["Memory"] == inspection["HostConfig"]["MemorySwap"] == 256 * 2**20
    assert inspection["Config"]["StopTimeout"] == GRACE_SECONDS
    rest = ash.objects.containers(ash.name)["lms-workers"]
    assert "OPENEDX_QUEUES=default,high" in rest["Config"]["Env"]


def test_its_tasks_are_done_by_the_group_and_by_nobody_else(ash: Trial, admin: Page) -> None:
    ask(admin)
    until("the report", lambda: reported(admin))
    assert DONE.search(log_of(ash, HEAVY))
    assert "grade_report[" not in log_of(ash, "lms-workers")


def test_a_task_under_way_is_ended_before_the_container_ends(ash: Trial, admin: Page) -> None:
    """As a redeploy stops it: SIGTERM, and SIGKILL only after the grace."""
    client, name = ash.objects.client, f"{ash.name}-{HEAVY}"
    before = len(log_of(ash, HEAVY))

    def since() -> str:
        return log_of(ash, HEAVY)[before:]

    with ThreadPoolExecutor(1) as threads:
        with standing(ash, "mongo"):
            ask(admin)
            until("the task to be taken", lambda: "received" in since(), limit=8)
            stopped = threads.submit(client.stop, name, GRACE_SECONDS)
            until("the worker to have heard", lambda: "Warm shutdown" in since(), limit=8)
            assert not DONE.search(since())
        stopped.result()
    assert client.inspect_container(name)["State"]["ExitCode"] == 0
    assert DONE.search(since().partition("Warm shutdown")[2]), since()
    assert reported(admin)
    # Stopped by hand; the next up starts it, and it takes its queue again.
    ask(admin)
    assert not reported(admin)
    ash.up()
    until("the report", lambda: reported(admin))
    ash.assert_whole()
