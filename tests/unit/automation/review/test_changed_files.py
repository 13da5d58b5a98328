"""Which files differ since a ref: git itself, in repositories made for it."""

import os
from pathlib import Path

import pytest

from automation.errors import PortalError
from automation.review.changed_files import File, parse, since
from tests.unit.automation.review.kinds import ROWAN
from tests.unit.automation.review.repository import Repository, commit, git


def test_what_git_says() -> None:
    output = "M\0a b\0R100\0old\nname\0new\0C75\0from\0copy\0D\0gone\0A\0come\0T\0kind\0"
    assert parse(output) == [
        File(path="a b"),
        File(path="new", status="R", before="old\nname"),
        File(path="copy", status="A"),
        File(path="gone", status="D"),
        File(path="come", status="A"),
        File(path="kind", status="T"),
    ]
    assert parse("") == []


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
    ) as raised:
        since("HEAD", tmp_path)
    assert "knows no such ref" not in str(raised.value)


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
