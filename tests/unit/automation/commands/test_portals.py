"""`up`, `destroy` and `status`, as they are typed."""

import json

import pytest

from automation.engine import inventory
from automation.portals import destroy, status
from automation.runs.plan import Change, Plan
from tests.unit.automation.commands.cli_runner import output_line, run_portal


@pytest.fixture(autouse=True)
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine answers: what is wrong with words alone asks none."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")


@pytest.mark.parametrize("verb", ["up", "destroy", "preview"])
def test_names_and_all_at_once(verb: str) -> None:
    result = run_portal(verb, "demo", "--all")
    assert result.exit_code == 2
    assert "name tenants or pass --all, not both" in output_line(result)
    result = run_portal(verb)
    assert result.exit_code == 2
    assert "name the tenants, or pass --all" in output_line(result)


@pytest.fixture
def removals(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `destroy` would remove of any tenant."""
    gone = Change(urn="urn:pulumi:x::portals::docker:index/network:Network::network-front", op="delete")
    monkeypatch.setattr(destroy, "destroy_plan", lambda tenant: Plan(tenant=tenant.name, changes=(gone,)))


@pytest.mark.usefixtures("removals")
def test_what_would_go_of_several_is_one_object() -> None:
    removals = json.loads(run_portal("destroy", "acme", "demo", "--dry-run", "--json").stdout)
    assert list(removals["tenants"]) == ["acme", "demo"]
    assert [each["name"] for each in removals["tenants"]["demo"]["changes"]] == ["network-front"]
    removals = json.loads(run_portal("destroy", "acme", "--dry-run", "--json").stdout)
    assert (removals["tenant"], len(removals["changes"])) == ("acme", 1)


@pytest.mark.usefixtures("removals")
def test_what_would_go_of_several_says_of_whom() -> None:
    output = run_portal("destroy", "acme", "demo", "--dry-run").stdout
    assert output.index("acme: 1 to delete") < output.index("demo: 1 to delete")


@pytest.mark.parametrize(("state", "shown"), [("exited", "exited (0)"), ("running", "running")])
def test_status_says_how_a_job_has_ended(state: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {"Names": ["/acme-lms"], "State": state, "Status": "Exited (0) 5 minutes ago", "Image": "x"}
    job = inventory.container({**listed, "Labels": {"portal.service": "migrate", "portal.group": "jobs"}})
    code = int(job.exit_code) if job.exit_code else None
    services = {
        "migrate": {"container": "acme-migrate", "state": job.state, "health": None, "exit_code": code}
    }
    parsed_status = {
        "tenant": "acme",
        "healthy": True,
        "services": services,
        "host_rules": "kept",
        "without_process_limit": [],
        "drive": {"unknown": "x", "warnings": []},
    }
    monkeypatch.setattr(status, "status", lambda tenant: parsed_status)
    out = run_portal("status", "acme").stdout
    row = next(line for line in out.splitlines() if line.startswith("migrate"))
    assert row.split("  ")[-1].strip() == shown
    assert json.loads(run_portal("status", "acme", "--json").stdout)["services"] == services
