"""Whatever a plan is made from is known to `--changed-since`: held to what the program of a tenant really opens."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from automation.review.affected_tenants import Fleet, affected
from automation.review.changed_files import File
from automation.review.symlinks import Endless, aliases, symlinks
from config.tenant.tenant import Tenant
from tests.programs import ROOT, TENANTS, released
from tests.unit.automation.review.repository import git

LIMIT_SECONDS = 120
PLANS = (("acme", "-"), ("demo", "-"), ("acme", "juniper"), ("acme", "redwood"), ("acme", "verawood"))


def recorded(checkout: Path, tenant: str, release: str) -> dict[str, Any]:
    """What the program of a checkout opens and asks for."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.unit.automation.review.opened_files", tenant, release],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert ran.returncode == 0, ran.stderr
    opened: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return opened


def otherwise(path: Path) -> None:
    """Change a file's content so that whoever takes it into a plan takes something else, and no check refuses it."""
    text = path.read_text()
    if path.name == "pins.yml":
        changed = re.sub(r"sha256:[0-9a-f]", "sha256:", text)
        changed = re.sub(r"sha256:([0-9a-f]{63})", r"sha256:\g<1>0", changed)
    elif path.suffix == ".yml" and path.parent.name == "releases":
        changed = re.sub(r"memory: \d+MiB", "memory: 4000MiB", text)
    else:
        changed = text + "\n# Changed.\n"
    assert changed != text, path
    path.write_text(changed)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as it is here, to change files in."""
    folder = tmp_path_factory.mktemp("opened") / "copy"
    for each in git(ROOT, "ls-files", "-co", "--exclude-standard").splitlines():
        if (ROOT / each).is_symlink() or (ROOT / each).is_file():
            (folder / each).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / each, folder / each, follow_symlinks=False)
    return folder


@pytest.mark.parametrize(("name", "release"), PLANS, ids="@".join)
def test_what_a_plan_opens_touches_its_tenant(name: str, release: str, copy: Path, tmp_path: Path) -> None:
    tenant = Tenant.load(name, TENANTS) if release == "-" else released(name, release, tmp_path)
    fleet = Fleet(tenants={name: tenant}, images=ROOT / "images", links=symlinks(ROOT))
    opened_there = recorded(ROOT, name, release)
    opened = opened_there["opened"]
    # What could not be seen would hold nothing.
    assert {"config/fleet.yml", f"config/releases/{tenant.release.name}.yml", "components/health.sh"} <= set(
        opened
    )
    left = [each for each in opened if not affected([File(path=each)], fleet).tenants]
    # An image's recipe is read whether or not the tenant has the image, and so are other tenants, releases and pins.
    # `changed` says that these touch nobody here, so nothing may come of them.
    assert all(
        each.startswith(("images/", "config/releases/", "config/pins.yml", "tenants/")) for each in left
    ), left
    was = {each: (copy / each).read_text() for each in left if not each.startswith("tenants/")}
    for each in was:
        if not (copy / each).is_symlink():
            otherwise(copy / each)
    try:
        assert recorded(copy, name, release)["plan"] == opened_there["plan"]
    finally:
        for each, text in was.items():
            (copy / each).write_text(text)


def test_a_file_behind_a_link_is_what_the_link_s_readers_read(tmp_path: Path) -> None:
    fleet = Fleet(
        tenants={"acme": released("acme", "redwood", tmp_path)}, images=ROOT / "images", links=symlinks(ROOT)
    )
    affected_tenants = affected([File(path="images/nginx/nginx.conf")], fleet)
    assert affected_tenants.tenants["acme"] == (
        "images/nginx/nginx.conf: read as config/releases/hub/nginx.conf: "
        "goes into public images with nginx.conf",
    )


LINKS = {
    "hub/a": "images/a",
    "hub/b": "hub/a",
    "more": "hub",
}


@pytest.mark.parametrize(
    ("path", "others"),
    [
        ("images/a", ["hub/a", "hub/b", "more/a", "more/b"]),
        ("hub/a", ["hub/b", "more/a", "more/b"]),
        ("hub/c", ["more/c"]),
        ("images/ab", []),
        ("elsewhere", []),
    ],
)
def test_every_path_of_a_file_is_found(path: str, others: list[str]) -> None:
    assert sorted(aliases(path, LINKS)) == others


@pytest.mark.parametrize("links", [{"a/loop": "a"}, {"a/one": ".", "a/two": "."}])
def test_what_cannot_be_followed_touches_all(links: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(Endless):
        list(aliases("a/b", links))
    fleet = Fleet(tenants={"acme": released("acme", "redwood", tmp_path)}, links=links)
    assert set(affected([File(path="a/b"), File(path="docs/a")], fleet).tenants) == {"acme"}


def test_links_are_found_wherever_they_lead(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "gone").symlink_to("../c/none")
    (tmp_path / "a" / "folder").symlink_to("b")
    (tmp_path / "whole").symlink_to(tmp_path / "a" / "b")
    (tmp_path / "out").symlink_to("/etc/passwd")
    assert symlinks(tmp_path) == {"a/gone": "c/none", "a/folder": "a/b", "whole": "a/b"}
