"""A portal of the real Open edX for each release that has public images; skipped where no registry can be asked."""

import os
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from playwright.sync_api import Browser

from automation.images import BuildError, digests
from config.releases.public_images import from_mirror
from config.releases.release import Releases
from config.tenant.fleet import Fleet
from config.tenant.tenant import Tenant
from testbed.checkout import temporary_checkout
from testbed.objects import LIMIT_SECONDS, Objects
from testbed.trial import Trial
from tests.e2e import chromium
from tests.hub.address import Address
from tests.hub.pages import PAGE_LIMIT_MS
from tests.programs import ROOT

# The name of a tenant of this checkout whose portal is up: it is used as it is, and left so.
GIVEN = os.environ.get("PORTAL_HUB_TENANT", "")
# A first start with migrations: a quarter of an hour on two cores that do nothing else.
UP_LIMIT_SECONDS = 3600.0
# Far from the numbers of the other tests' tenants.
NUMBER = 249


@pytest.fixture(scope="session", params=[GIVEN] if GIVEN else Releases(ROOT / "config" / "releases").known())
def portal(request: pytest.FixtureRequest) -> Iterator[Address]:
    """Up; one release after the other. With PORTAL_HUB_TENANT, the portal of that tenant."""
    if GIVEN:
        yield Address.of_tenant(Tenant.load(GIVEN, ROOT / "tenants"))
        return
    release = str(request.param)
    skip_without_registry(release)
    client = docker.APIClient(**docker.utils.kwargs_from_env(), timeout=LIMIT_SECONDS)
    objects = Objects(client=client)
    name = f"hub-{release}"
    with temporary_checkout("hub", [name], objects) as checkout:
        pinned = checkout.portal("images", "pin", release)
        assert pinned.code == 0, str(pinned)
        trial = Trial(name=name, checkout=checkout, objects=objects, root=checkout.drive)
        words = ("--lms", trial.host, "--release", release, "--images", "hub", "--mail", "sink")
        where = (
            "--root",
            str(trial.root),
            "--port",
            str(18180 - 250 + NUMBER),
            "--subnet",
            f"10.77.{NUMBER}.0/24",
        )
        ran = checkout.portal("new", name, *words, *where, limit=UP_LIMIT_SECONDS)
        assert ran.code == 0, str(ran)
        try:
            yield Address.of_trial(trial)
        finally:
            trial.destroy()
    client.close()


def skip_without_registry(release: str) -> None:
    """Skip where the engine reaches no registry that has the release's images."""
    mirror = Fleet.load(ROOT / "config" / "fleet.yml").mirror
    image = Releases(ROOT / "config" / "releases", mirror=mirror).load(release).services["lms"].hub.image
    try:
        digests({image: from_mirror(image, mirror)}, lambda _: None)
    except BuildError as error:
        pytest.skip(
            f"no public registry can be reached, and PORTAL_HUB_TENANT names no portal that is up: {error}"
        )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium, which finds *.localhost on the loopback address by itself."""
    with chromium.headless(PAGE_LIMIT_MS) as started:
        yield started


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where screenshots go, if anywhere: they show others' art, and are for nobody's repository."""
    named = os.environ.get("PORTAL_HUB_PICTURES")
    return Path(named) if named else None
