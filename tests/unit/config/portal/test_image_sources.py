"""Which image each service runs, with an openedx image of the tenant's own and a mirror."""

from dataclasses import replace
from pathlib import Path

import pytest

from config.portal.image_sources import derived_images, image_references, images_to_pull
from config.releases.release import Releases
from config.tenant.tenant import Tenant
from tests.programs import ROOT, TENANTS, released

OWN = f"registry.acme.example/openedx@sha256:{'c' * 64}"
OPENEDX = ("lms", "cms", "lms-workers", "cms-workers")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "tenants"
    made.mkdir()
    return made


def test_an_openedx_image_of_one_s_own_takes_the_public_one_s_place(folder: Path) -> None:
    public = released("acme", "verawood", folder)
    own = replace(public, openedx=OWN)
    (before,), (after,) = derived_images(public, ROOT / "images"), derived_images(own, ROOT / "images")
    assert (before.public, after.public) == (public.release.services["lms"].hub.pinned, OWN)
    assert before.reference != after.reference
    assert set(images_to_pull(own)) ^ set(images_to_pull(public)) == {before.public, OWN}
    ran, others = image_references(own, ROOT / "images"), image_references(public, ROOT / "images")
    assert {name for name in ran if ran[name] != others[name]} == set(OPENEDX)
    assert {ran[name] for name in OPENEDX} == {after.reference}


def test_it_needs_no_digest_of_the_public_one(folder: Path) -> None:
    image = Releases(ROOT / "config" / "releases", {}).load("verawood").services["lms"].hub.image
    known = {
        each: f"sha256:{'d' * 64}"
        for each in Releases(ROOT / "config" / "releases", {}).public()
        if each != image
    }
    text = (
        (TENANTS / "acme.yaml")
        .read_text()
        .split("sizes:")[0]
        .replace("release: redwood", "release: verawood")
    )
    file = folder / "acme.yaml"
    file.write_text(text.replace("images: packages", f"images: hub\nopenedx: {OWN}"))
    tenant = Tenant.load("acme", folder, releases=Releases(ROOT / "config" / "releases", known))
    assert tenant.public_image("lms") == OWN
    assert tenant.real


def test_one_service_s_own_image_is_not_derived(folder: Path) -> None:
    lms = f"registry.acme.example/lms@sha256:{'e' * 64}"
    both = replace(released("acme", "verawood", folder), openedx=OWN, service_images={"lms": lms})
    ran = image_references(both, ROOT / "images")
    assert ran["lms"] == lms
    assert ran["cms"].startswith("portals/openedx:")
