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
    error = run_portal(*words).exception
    assert isinstance(error, WrongWords)
    assert str(error) == "no-such-ref: git knows no such ref; run git fetch origin main, or name a commit"
    assert error.exit_code == 2


def test_a_comment_that_is_not_written_yet(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for each in ("absent", "bytes"):
        error = run_portal("comment", str(tmp_path / each)).exception
        assert isinstance(error, WrongWords)
        assert error.exit_code == 2
        assert "create it first: ./portal preview --changed-since origin/main --markdown >comment.md" in str(
            error
        )


def test_a_preview_says_at_once_that_it_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[str] = []
    monkeypatch.setattr(show, "say", messages.append)

    def look(tenant: Tenant, **how: object) -> Plan:
        assert messages == ["acme: previewing"]
        return Plan(tenant="acme", changes=())

    monkeypatch.setattr(preview, "preview", look)
    assert run_portal("preview", "acme").exit_code == 0


def test_a_preview_without_changes_tells_what_else_up_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[str] = []
    monkeypatch.setattr(show, "say", messages.append)
    note = "storage/quota: the file system will hold the portal to 20480 MiB, none now"
    monkeypatch.setattr(
        preview, "preview", lambda tenant, **how: Plan(tenant="acme", changes=(), notes=(note,))
    )
    result = run_portal("preview", "acme")
    assert (result.exit_code, result.stdout) == (0, "acme: nothing to change\n")
    assert messages == ["acme: previewing", f"acme: {note}"]
