"""One readable text file a tenant: the plan that a reviewer would want to see. UPDATE_PLANS=1 writes them anew."""

import os
from pathlib import Path

import pytest

from config.releases.release import Releases
from config.tenant.tenant import names
from tests.plans.releases import page
from tests.plans.text import render
from tests.programs import ROOT, TENANTS, planned, portal, released

HERE = Path(__file__).parent


RELEASES = ROOT / "config" / "releases"


def assert_equals_file(text: str, path: Path) -> None:
    if os.environ.get("UPDATE_PLANS"):
        path.write_text(text)
    assert text == path.read_text(), f"UPDATE_PLANS=1 ./portal test tests/plans writes {path.name} anew"


@pytest.mark.parametrize("name", names(TENANTS))
def test_plan_reads_as_its_file(name: str) -> None:
    assert_equals_file(render(portal(name)), HERE / f"{name}.txt")


@pytest.mark.parametrize("release", Releases(RELEASES).known())
def test_a_tenant_of_each_release_from_public_images(release: str, tmp_path: Path) -> None:
    assert_equals_file(render(planned(released("acme", release, tmp_path))), HERE / f"acme@{release}.txt")


def test_what_each_release_brings_reads_as_its_page() -> None:
    assert_equals_file(page(Releases(RELEASES).all()), ROOT / "docs" / "releases.md")


def test_every_plan_has_a_tenant() -> None:
    of_releases = {f"acme@{release}" for release in Releases(RELEASES).known()}
    assert {path.stem for path in HERE.glob("*.txt")} == {*names(TENANTS), *of_releases}
