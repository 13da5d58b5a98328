"""What the end-to-end tests share: one copy of the checkout, its portals, a browser. Nothing of the operator's is used.

One run at a time on a machine: the tests' tenants have fixed names, ports and subnets.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import docker
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e import chromium
from tests.e2e.checkout import Checkout
from tests.e2e.objects import LIMIT_SECONDS, Objects
from tests.e2e.pages import PAGE_LIMIT_MS, new_page
from tests.e2e.trial import NUMBERS, Trial
from tests.e2e.waiting import until

# On the real disk: /tmp may be a tmpfs, and data stores want a disk.
GROUND = Path("/var/tmp")
LOCK_LIMIT_SECONDS = 300.0
# Files that share a portal stand together; those that break theirs come last.
ORDER = (
    "test_portal.py",
    "test_overrides.py",
    "test_secrets.py",
    "test_browser.py",
    "test_journey.py",
    "test_accessibility.py",
    "test_isolation.py",
    "test_data_survives.py",
    "test_kill.py",
    "test_failures.py",
    "test_drive.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Portals that take a minute to come up are used by one file after the other."""
    here = Path(__file__).parent
    places = [place for place, item in enumerate(items) if item.path.parent == here]
    ours = sorted(
        (items[place] for place in places),
        key=lambda item: ORDER.index(item.path.name) if item.path.name in ORDER else -1,
    )
    for place, item in zip(places, ours, strict=True):
        items[place] = item


@pytest.fixture(scope="session")
def objects() -> Iterator[Objects]:
    """The engine that the tests use: DOCKER_HOST, else the local socket."""
    client = docker.APIClient(**docker.utils.kwargs_from_env(), timeout=LIMIT_SECONDS)
    yield Objects(client=client)
    client.close()


@pytest.fixture(scope="session")
def checkout(objects: Objects) -> Iterator[Checkout]:
    """A copy of the checkout on a ground of its own. Afterwards nothing is left of it or its portals."""
    with (GROUND / "portals-e2e.lock").open("w") as lock:
        until(
            "another run of these tests on this machine to end",
            lambda: locked(lock),
            limit=LOCK_LIMIT_SECONDS,
        )
        ground = Path(tempfile.mkdtemp(prefix="portals-e2e-", dir=GROUND))
        # Containers of other users look into the drive below it.
        ground.chmod(0o755)
        # What a run that was killed has left.
        remove_portals(objects)
        made = Checkout.make(ground)
        marked = made.portal("drive", "init", str(made.drive))
        assert marked.code == 0, str(marked)
        yield made
        if os.environ.get("PORTAL_KEEP"):
            print(f"\nkept, because PORTAL_KEEP is set: {ground} and its portals")
            return
        remove_portals(objects)
        objects.on_drive(made.drive, "find /drive -mindepth 1 -delete")
        shutil.rmtree(ground)


def locked(lock: IO[str]) -> bool:
    """Whether the lock is ours now."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def remove_portals(objects: Objects) -> None:
    """Remove every container, network and volume of the tests' tenants."""
    for name in NUMBERS:
        objects.remove(name)


@pytest.fixture(scope="session")
def oak_once(checkout: Checkout, objects: Objects) -> Trial:
    """The portal that most files share; it is up when `first_up` has run."""
    made = Trial(name="e2e-oak", checkout=checkout, objects=objects, root=checkout.drive)
    made.write()
    return made


@pytest.fixture(scope="module")
def oak(oak_once: Trial) -> Trial:
    """The shared portal, up and healthy whatever the file before has done to it."""
    if oak_once.broken:
        pytest.fail(f"the shared portal does not come up, as an earlier file has found: {oak_once.broken}")
    told = oak_once.checkout.portal("status", oak_once.name, "--json")
    if told.code:
        oak_once.up()
    return oak_once


@pytest.fixture(scope="module")
def elm(checkout: Checkout, objects: Objects) -> Iterator[Trial]:
    """A second portal beside the first, for as long as a file needs it."""
    made = Trial(name="e2e-elm", checkout=checkout, objects=objects, root=checkout.drive)
    made.write()
    made.up()
    yield made
    made.destroy()


@pytest.fixture
def fir(checkout: Checkout, objects: Objects) -> Iterator[Trial]:
    """A tenant that does not come up at first: the drive or the engine is not as it should be."""
    made = Trial(name="e2e-fir", checkout=checkout, objects=objects, root=checkout.drive)
    made.write()
    yield made
    if made.has_stack:
        made.destroy()
    (checkout.folder / "tenants" / f"{made.name}.yaml").unlink()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium, which finds *.localhost on the loopback address by itself."""
    path = chromium.path()
    # As every other wait on a page: a password's hash takes seconds on a busy machine.
    expect.set_options(timeout=PAGE_LIMIT_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, headless=True, args=chromium.WORDS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh tab without cookies."""
    with new_page(browser) as opened:
        yield opened
