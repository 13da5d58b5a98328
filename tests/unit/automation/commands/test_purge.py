"""`purge` and `orphans`, as they are typed."""

import json

import pytest

from automation import images
from automation.portals import orphans, purge
from tests.unit.automation.commands.cli_runner import run_portal


@pytest.fixture(autouse=True)
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine answers: what is wrong with words alone asks none."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")


def test_no_orphans_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "build", lambda roles, **how: None)
    monkeypatch.setattr(orphans, "find", lambda say: [])
    assert run_portal("orphans").stdout == "no orphans: every portal has a tenant file\n"


@pytest.mark.parametrize("running", [0, 15])
def test_a_rehearsed_purge_says_that_it_would_be_refused(
    running: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = purge.SearchScope(places=())
    trace = purge.Trace(tenant="demo", stack=True, files=())
    monkeypatch.setattr(purge, "search_scope", lambda tenant, **how: scope)
    monkeypatch.setattr(purge, "trace", lambda tenant, where: trace)
    monkeypatch.setattr(purge, "count_running", lambda tenant, where: running)
    result = run_portal("purge", "demo", "--dry-run")
    assert result.exit_code == 0
    refused = "15 containers are running; destroy the portal before you purge it: ./portal destroy demo --confirm demo\n"
    assert (refused in result.stdout) is (running > 0)
    assert json.loads(run_portal("purge", "demo", "--dry-run", "--json").stdout)["running"] == running
