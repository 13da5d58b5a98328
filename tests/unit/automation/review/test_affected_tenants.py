"""Which tenants a change can touch: a table of paths."""

import shutil

import pytest

from automation.review.affected_tenants import ALL, NONE, Fleet, affected
from automation.review.changed_files import File
from config.releases import pins
from config.releases.release import Releases
from tests.programs import ROOT
from tests.unit.automation.review import kinds
from tests.unit.automation.review.kinds import ALDER, ROWAN, WILLOW
from tests.unit.automation.review.repository import git

DIGEST = "sha256:" + "a" * 64
BIRCH = "e2e-birch"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """rowan on redwood, alder on juniper, willow on redwood from public images, and birch, whose file is wrong."""
    folder = tmp_path_factory.mktemp("fleet")
    shutil.copytree(ROOT / "config", folder / "config", symlinks=True, ignore=shutil.ignore_patterns("*.py"))
    public = Releases(ROOT / "config" / "releases", {}).public()
    (folder / "config" / pins.NAME).write_text(pins.text(dict.fromkeys(public, DIGEST)))
    shutil.copytree(ROOT / "images", folder / "images", symlinks=True)
    (folder / "tenants").mkdir()
    kinds.write(folder, ROWAN, kinds.tenant(ROWAN))
    kinds.write(folder, ALDER, kinds.tenant(ALDER, release="juniper"))
    kinds.write(folder, WILLOW, kinds.tenant(WILLOW, images="hub"))
    kinds.write(folder, BIRCH, {**kinds.tenant(ROWAN), "title": ""})
    change = kinds.read(folder, BIRCH)
    change["hosts"] = {key: f"birch.{value}" for key, value in change["hosts"].items()}
    change |= {"listen": {"port": 19000}, "placement": {"subnet": "10.77.249.0/24"}}
    kinds.write(folder, BIRCH, change)
    fleet_now = Fleet.read(folder)
    assert (fleet_now.all(), fleet_now.broken) == ([ALDER, BIRCH, ROWAN, WILLOW], [BIRCH])
    return fleet_now


EVERY = (BIRCH, ALDER, WILLOW, ROWAN)
CASES = {
    f"tenants/{ROWAN}.yaml": (ROWAN, BIRCH),
    f"tenants/Pulumi.{ROWAN}.yaml": (ROWAN, BIRCH),
    "tenants/README.md": EVERY,
    "tenants/oak.yml": EVERY,
    "components/openedx.py": EVERY,
    "__main__.py": EVERY,
    "Pulumi.yaml": EVERY,
    "config/values/checks.py": EVERY,
    "config/fleet.yml": EVERY,
    "config/tenant.schema.json": (),
    "config/releases/redwood.yml": (ROWAN, WILLOW, BIRCH),
    # What redwood may take over data from, and so the words of its storage-init.
    "config/releases/juniper.yml": EVERY,
    "config/releases/verawood.yml": (BIRCH,),
    "config/releases/hub/mysql.sh": (WILLOW, BIRCH),
    "config/pins.yml": (WILLOW, BIRCH),
    "plugins/docker/volume.py": EVERY,
    "automation/runs/automation_api.py": EVERY,
    "preflight/obstacles.py": EVERY,
    "toolchain/pins.toml": EVERY,
    "requirements.txt": EVERY,
    "requirements.in": (),
    "portal": EVERY,
    "portal-notes": EVERY,
    "images/base/Dockerfile": EVERY,
    "images/python/image.yml": EVERY,
    "images/ops/entry": EVERY,
    # What WILLOW pulls is no image that is built here, but it gets this file by a symbolic link.
    "images/nginx/nginx.conf": EVERY,
    "images/nginx/probe": (ROWAN, ALDER, BIRCH),
    "images/openedx/entrypoint": (WILLOW, BIRCH),
    "images/openedx-standin/tests/test_app.py": (),
    "images/no-more/Dockerfile": EVERY,
    "images/README": EVERY,
    "docs/images.md": (),
    "README.md": (),
    "tests/conftest.py": (),
    "benchmarks/report.py": (),
    "testbed/light.py": (),
    ".github/workflows/preview.yml": (),
    ".gitlab-ci.yml": (),
    ".ci/run": (),
    "pyproject.toml": (),
    "docs": EVERY,
    "nobody/knows": EVERY,
    "nobody.md/knows": EVERY,
}


@pytest.mark.parametrize("path", CASES)
def test_what_a_file_touches(path: str, fleet: Fleet) -> None:
    result = affected([File(path=path)], fleet)
    expected = set(CASES[path])
    assert set(result.tenants) == expected
    assert not result.removed
    # Explained, whatever comes of it.
    assert all(why for why in result.tenants.values())
    assert bool(result.left) is not bool(expected)


def test_removed_and_renamed(fleet: Fleet) -> None:
    removed = affected([File(path="tenants/acme.yaml", status="D")], fleet)
    assert dict(removed.removed) == {"acme": ("tenants/acme.yaml: removed",)}
    renamed = affected([File(path=f"tenants/{ROWAN}.yaml", status="R", before="tenants/acme.yaml")], fleet)
    assert ROWAN in renamed.tenants
    assert renamed.removed["acme"] == (
        f"tenants/acme.yaml: renamed to tenants/{ROWAN}.yaml; a tenant's name cannot be changed",
    )
    # Both the old and the new place of a file count.
    moved = affected([File(path="docs/portal.py", status="R", before="components/portal.py")], fleet)
    assert set(moved.tenants) == set(EVERY)


def test_every_file_of_the_repository_is_known() -> None:
    """Nothing of it is left to `unknown file, so it may affect every tenant`: that would preview all portals for nothing."""
    known = (*NONE, *ALL, "tenants/", "images/")
    unknown = [
        path
        for path in git(ROOT, "ls-files", "-co", "--exclude-standard").splitlines()
        if not any(path == each or (each.endswith("/") and path.startswith(each)) for each in known)
        and not ("/" not in path and path.endswith(".md"))
    ]
    assert unknown == []
