"""What the end-to-end tests share: one copy of the checkout, its portals, a browser. Nothing of the operator's is used.

One run at a time on a machine: the tests' tenants have fixed names, ports and subnets.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from playwright.sync_api import Browser, Page

from testbed.checkout import Checkout, temporary_checkout
from testbed.light import LightPortals, replace_recipes
from testbed.objects import LIMIT_SECONDS, Objects
from testbed.trial import LIGHT_NUMBERS, NUMBERS, Trial
from tests.e2e import chromium
from tests.e2e.onboarded import Onboarded
from tests.e2e.pages import PAGE_LIMIT_MS, new_page

# Files that share a portal stand together; those that break theirs come last.
ORDER = (
    "test_portal.py",
    "test_overrides.py",
    "test_secrets.py",
    "test_browser.py",
    "test_journey.py",
    "test_accessibility.py",
    "test_first_log_in.py",
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
    """A copy of the checkout with portals as they are."""
    with temporary_checkout("e2e", NUMBERS, objects) as made:
        yield made


@pytest.fixture(scope="session")
def light_checkout(objects: Objects) -> Iterator[Checkout]:
    """A copy of the checkout whose images are light."""
    with temporary_checkout("e2e-light", LIGHT_NUMBERS, objects) as made:
        replace_recipes(made.folder / "images")
        yield made


@pytest.fixture
def fleet(light_checkout: Checkout, objects: Objects) -> Iterator[LightPortals]:
    """Light tenants; nothing of an earlier test's is there, and nothing stays."""
    made = LightPortals(checkout=light_checkout, objects=objects)
    yield made
    if not os.environ.get("PORTAL_KEEP"):
        made.clear()


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
    status = oak_once.checkout.portal("status", oak_once.name, "--json")
    if status.code:
        oak_once.up()
    return oak_once


@pytest.fixture(scope="session")
def onboarded(checkout: Checkout, objects: Objects) -> Iterator[Onboarded]:
    """A second portal beside the first, made by `./portal new`."""
    made = Onboarded.new(Trial(name="e2e-elm", checkout=checkout, objects=objects, root=checkout.drive))
    yield made
    made.remove()


@pytest.fixture(scope="session")
def elm(onboarded: Onboarded) -> Trial:
    """The second portal."""
    assert onboarded.result.code == 0, str(onboarded.result)
    return onboarded.portal


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
    # As every other wait on a page: a password's hash takes seconds on a busy machine.
    with chromium.headless(PAGE_LIMIT_MS) as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh tab without cookies."""
    with new_page(browser) as opened:
        yield opened
