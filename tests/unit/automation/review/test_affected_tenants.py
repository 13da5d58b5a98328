"""Which tenants a change can touch: a table of paths, and git itself."""

import os
import shutil
from pathlib import Path

import pytest

from automation.errors import PortalError
from automation.review.affected_tenants import ALL, NONE, Fleet, touched
from automation.review.changed_files import File, parsed, since
from config.releases import pins
from config.releases.release import Releases
from tests.programs import ROOT
from tests.unit.automation.review import kinds
from tests.unit.automation.review.kinds import ALDER, ROWAN, WILLOW
from tests.unit.automation.review.repository import Repository, commit, git

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
    found = Fleet.read(folder)
    assert (found.all(), found.broken) == ([ALDER, BIRCH, ROWAN, WILLOW], [BIRCH])
    return found


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
    found = touched([File(path=path)], fleet)
    wanted = set(CASES[path])
    assert set(found.tenants) == wanted
    assert not found.removed
    # Explained, whatever comes of it.
    assert all(why for why in found.tenants.values())
    assert bool(found.left) is not bool(wanted)


def test_removed_and_renamed(fleet: Fleet) -> None:
    removed = touched([File(path="tenants/acme.yaml", status="D")], fleet)
    assert dict(removed.removed) == {"acme": ("tenants/acme.yaml: removed",)}
    renamed = touched([File(path=f"tenants/{ROWAN}.yaml", status="R", before="tenants/acme.yaml")], fleet)
    assert ROWAN in renamed.tenants
    assert renamed.removed["acme"] == (
        f"tenants/acme.yaml: renamed to tenants/{ROWAN}.yaml; a tenant's name cannot be changed",
    )
    # Both the old and the new place of a file count.
    moved = touched([File(path="docs/portal.py", status="R", before="components/portal.py")], fleet)
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


def test_what_git_says() -> None:
    told = "M\0a b\0R100\0old\nname\0new\0C75\0from\0copy\0D\0gone\0A\0come\0T\0kind\0"
    assert parsed(told) == [
        File(path="a b"),
        File(path="new", status="R", before="old\nname"),
        File(path="copy", status="A"),
        File(path="gone", status="D"),
        File(path="come", status="A"),
        File(path="kind", status="T"),
    ]
    assert parsed("") == []


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository.make(tmp_path_factory.mktemp("repository"))


def test_since_a_ref_committed_or_not(repository: Repository, tmp_path: Path) -> None:
    checkout = repository.branch(tmp_path, "work")
    assert since("origin/main", checkout) == []
    git(checkout, "mv", f"tenants/{ROWAN}.yaml", "tenants/pine.yaml")
    commit(checkout, "Another name")
    (checkout / "README.md").unlink()
    (checkout / "new\nfile").write_text("")
    # What main got meanwhile is not of this change.
    (repository.base / "later").write_text("")
    commit(repository.base, "Later")
    git(repository.base, "push", "--quiet", str(repository.bare), "main")
    git(checkout, "fetch", "--quiet")
    assert sorted(since("origin/main", checkout), key=lambda each: each.path) == [
        File(path="README.md", status="D"),
        File(path="new\nfile", status="A"),
        File(path="tenants/pine.yaml", status="R", before=f"tenants/{ROWAN}.yaml"),
    ]


@pytest.mark.parametrize(
    ("ref", "words"),
    [("nosuch", "git knows no such ref"), ("--output=x", "is not a git ref"), ("", "is not a git ref")],
)
def test_a_ref_that_is_none(ref: str, words: str, repository: Repository) -> None:
    with pytest.raises(PortalError, match=words):
        since(ref, repository.base)


def test_a_shallow_clone(repository: Repository, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{repository.bare}", "shallow")
    with pytest.raises(PortalError, match=r"fetch-depth: 0"):
        since("main~1", tmp_path / "shallow")


def test_beginnings_that_have_nothing_in_common(repository: Repository, tmp_path: Path) -> None:
    checkout = repository.branch(tmp_path, "alone")
    git(checkout, "switch", "--quiet", "--orphan", "other")
    commit(checkout, "Another beginning")
    with pytest.raises(PortalError, match="no common ancestor"):
        since("origin/main", checkout)


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone may give a checkout to another user")
def test_gits_own_words_are_told_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout of another user: git does not look at all, which is no answer about the ref."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    git(tmp_path, "init", "--quiet")
    for each in (tmp_path, tmp_path / ".git"):
        os.chown(each, 65534, 65534)
    with pytest.raises(
        PortalError, match=r"(?s)git says: .*dubious ownership.*--add safe\.directory"
    ) as told:
        since("HEAD", tmp_path)
    assert "knows no such ref" not in str(told.value)


def test_a_name_with_a_carriage_return_is_that_name(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    git(
        tmp_path,
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "commit",
        "--quiet",
        "--allow-empty",
        "--message",
        "a",
    )
    (tmp_path / "a\rb\nc").touch()
    assert since("HEAD", tmp_path) == [File(path="a\rb\nc", status="A")]
