"""`preview`, `changed` and `comment`, as they are typed."""

from pathlib import Path

import pytest

from automation.commands import show
from automation.errors import WrongWords
from automation.portals import preview
from automation.runs.plan import Plan
from config.tenant.tenant import Tenant
from tests.unit.automation.commands.cli_runner import run_portal


@pytest.fixture(autouse=True)
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine answers: what is wrong with words alone asks none."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")


@pytest.mark.parametrize("words", [("changed", "no-such-ref"), ("preview", "--changed-since", "no-such-ref")])
def test_a_ref_that_git_does_not_know(words: tuple[str, ...]) -> None:
    told = run_portal(*words).exception
    assert isinstance(told, WrongWords)
    assert str(told) == "no-such-ref: git knows no such ref; run git fetch origin main, or name a commit"
    assert told.exit_code == 2


def test_a_comment_that_is_not_written_yet(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for each in ("absent", "bytes"):
        told = run_portal("comment", str(tmp_path / each)).exception
        assert isinstance(told, WrongWords)
        assert told.exit_code == 2
        assert "create it first: ./portal preview --changed-since origin/main --markdown >comment.md" in str(
            told
        )


def test_a_preview_says_at_once_that_it_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(show, "say", said.append)

    def look(tenant: Tenant, **how: object) -> Plan:
        assert said == ["acme: previewing"]
        return Plan(tenant="acme", changes=())

    monkeypatch.setattr(preview, "preview", look)
    assert run_portal("preview", "acme").exit_code == 0


def test_a_preview_without_changes_tells_what_else_up_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(show, "say", said.append)
    note = "storage/quota: the file system will hold the portal to 20480 MiB, none now"
    monkeypatch.setattr(
        preview, "preview", lambda tenant, **how: Plan(tenant="acme", changes=(), notes=(note,))
    )
    told = run_portal("preview", "acme")
    assert (told.exit_code, told.stdout) == (0, "acme: nothing to change\n")
    assert said == ["acme: previewing", f"acme: {note}"]
