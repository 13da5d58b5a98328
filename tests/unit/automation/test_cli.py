"""What commands say: to wrong words exit code 2 before anything is done, and what to type instead; tables; progress."""

import json
import re
import threading
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from automation import checks, cli, images
from automation.commands import show
from automation.engine import inventory
from automation.errors import WrongWords
from automation.images import progress
from automation.images.event import Event, State
from automation.portals import destroy, orphans, preview, purge, status
from automation.portals.onboarding_request import OnboardingRequest
from automation.runs.plan import Change, Plan
from config.reading.errors import ConfigError
from config.tenant.tenant import Tenant

NEW = ("new", "oak", "--lms", "learn.oak.example")


@pytest.fixture(autouse=True)
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine answers: what is wrong with words alone asks none."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")


def ran(*words: str) -> Result:
    return CliRunner().invoke(cli.app, words, env={"COLUMNS": "200", "NO_COLOR": "1"})


def line(result: Result) -> str:
    """Its words without a frame."""
    return " ".join(re.sub("[╭╮╰╯│─]", " ", result.output).split())


@pytest.mark.parametrize(
    "option",
    [f"--{each.name.replace('_', '-')}" for each in fields(OnboardingRequest) if each.default == ""],
)
def test_an_empty_word_is_no_wish_for_the_default(option: str) -> None:
    told = ran(*NEW, option, "", "--dry-run").exception
    assert isinstance(told, ConfigError)
    assert str(told).startswith(f"{option}: is empty, expected ")
    assert "or leave it out" in str(told)


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("new", "oak", "--lms", ""), "--lms"),
        (("preview", "--changed-since", ""), "--changed-since"),
        (("logs", "acme", "--since", ""), "--since"),
        (("purge", "acme", "--docker-host", ""), "--docker-host"),
        (("purge", "acme", "--root", ""), "--root"),
        (("drive", "init", "/srv/portals", "--docker-host", ""), "--docker-host"),
        (("images", "prune", "--docker-host", ""), "--docker-host"),
    ],
)
def test_a_variable_that_is_not_set_is_no_word(words: tuple[str, ...], option: str) -> None:
    told = ran(*words).exception
    assert isinstance(told, ConfigError)
    assert str(told).startswith(f"{option}: is empty, expected ")


def test_a_title_says_how_long_it_may_be() -> None:
    assert str(ran(*NEW, "--title", "").exception) == (
        "--title: is empty, expected 1 to 80 characters, for example 'Oak University'; or leave it out"
    )


def test_a_port_that_is_no_number() -> None:
    told = ran(*NEW, "--port", "abc")
    assert told.exit_code == 2
    assert "'--port': 'abc' is not a number, for example 8080" in line(told)


@pytest.mark.parametrize("verb", ["up", "destroy", "preview"])
def test_names_and_all_at_once(verb: str) -> None:
    told = ran(verb, "demo", "--all")
    assert told.exit_code == 2
    assert "name tenants or pass --all, not both" in line(told)
    told = ran(verb)
    assert told.exit_code == 2
    assert "name the tenants, or pass --all" in line(told)


@pytest.mark.parametrize("words", [("changed", "no-such-ref"), ("preview", "--changed-since", "no-such-ref")])
def test_a_ref_that_git_does_not_know(words: tuple[str, ...]) -> None:
    told = ran(*words).exception
    assert isinstance(told, WrongWords)
    assert str(told) == "no-such-ref: git knows no such ref; run git fetch origin main, or name a commit"
    assert told.exit_code == 2


def test_a_comment_that_is_not_written_yet(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for each in ("absent", "bytes"):
        told = ran("comment", str(tmp_path / each)).exception
        assert isinstance(told, WrongWords)
        assert told.exit_code == 2
        assert "create it first: ./portal preview --changed-since origin/main --markdown >comment.md" in str(
            told
        )


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("-k", "tenant", "--help")])
def test_the_help_of_the_tests_builds_and_runs_nothing(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[object] = []
    monkeypatch.setattr(checks, "test", lambda *how: begun.append(how))
    told = ran("test", *words)
    assert told.exit_code == 0
    assert "./portal test -k tenant" in line(told)
    assert begun == []


def test_the_words_of_pytest_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[list[str]] = []

    def test(words: Sequence[str], say: object) -> int:
        begun.append(list(words))
        return 0

    monkeypatch.setattr(checks, "test", test)
    for words in (["-k", "tenant", "-x"], ["--", "--help"], []):
        assert ran("test", *words).exit_code == 0
    assert begun == [["-k", "tenant", "-x"], ["--help"], []]


@pytest.fixture
def removals(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `destroy` would remove of any tenant."""
    gone = Change(urn="urn:pulumi:x::portals::docker:index/network:Network::network-front", op="delete")
    monkeypatch.setattr(destroy, "destroy_plan", lambda tenant: Plan(tenant=tenant.name, changes=(gone,)))


@pytest.mark.usefixtures("removals")
def test_what_would_go_of_several_is_one_object() -> None:
    told = json.loads(ran("destroy", "acme", "demo", "--dry-run", "--json").stdout)
    assert list(told["tenants"]) == ["acme", "demo"]
    assert [each["name"] for each in told["tenants"]["demo"]["changes"]] == ["network-front"]
    told = json.loads(ran("destroy", "acme", "--dry-run", "--json").stdout)
    assert (told["tenant"], len(told["changes"])) == ("acme", 1)


@pytest.mark.usefixtures("removals")
def test_what_would_go_of_several_says_of_whom() -> None:
    told = ran("destroy", "acme", "demo", "--dry-run").stdout
    assert told.index("acme: 1 to delete") < told.index("demo: 1 to delete")


def test_a_preview_says_at_once_that_it_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(show, "say", said.append)

    def look(tenant: Tenant, **how: object) -> Plan:
        assert said == ["acme: previewing"]
        return Plan(tenant="acme", changes=())

    monkeypatch.setattr(preview, "preview", look)
    assert ran("preview", "acme").exit_code == 0


def test_a_build_in_a_pipe_says_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    heard = threading.Event()

    def say(text: str) -> None:
        said.append(text)
        if "still" in text:
            heard.set()

    monkeypatch.setattr(progress, "say", say)
    with progress.steps(present=False, every=0.01) as step:
        step(Event(role="base", state=State.PRESENT))
        step(Event(role="forum", state=State.BUILDING))
        assert heard.wait(10)
        step(Event(role="forum", state=State.BUILDING, line="a line of a tool"))
        step(Event(role="forum", state=State.BUILT))
    # Waited for: nothing is said after the end.
    assert said[0] == "forum: building"
    assert "forum: still building (0 s)" in said
    assert "forum: built" in said
    assert {each.partition(" (")[0] for each in said} == {
        "forum: building",
        "forum: still building",
        "forum: built",
    }


@pytest.mark.parametrize(("state", "said"), [("exited", "exited (0)"), ("running", "running")])
def test_status_says_how_a_job_has_ended(state: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {"Names": ["/acme-lms"], "State": state, "Status": "Exited (0) 5 minutes ago", "Image": "x"}
    job = inventory.container({**listed, "Labels": {"portal.service": "migrate", "portal.group": "jobs"}})
    code = int(job.exit_code) if job.exit_code else None
    services = {
        "migrate": {"container": "acme-migrate", "state": job.state, "health": None, "exit_code": code}
    }
    told = {
        "tenant": "acme",
        "healthy": True,
        "services": services,
        "host_rules": "kept",
        "without_process_limit": [],
        "drive": {"unknown": "x", "warnings": []},
    }
    monkeypatch.setattr(status, "status", lambda tenant: told)
    out = ran("status", "acme").stdout
    row = next(line for line in out.splitlines() if line.startswith("migrate"))
    assert row.split("  ")[-1].strip() == said
    assert json.loads(ran("status", "acme", "--json").stdout)["services"] == services


def test_no_orphans_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "build", lambda roles, **how: None)
    monkeypatch.setattr(orphans, "find", lambda say: [])
    assert ran("orphans").stdout == "no orphans: every portal has a tenant file\n"


@pytest.mark.parametrize("running", [0, 15])
def test_a_rehearsed_purge_says_that_it_would_be_refused(
    running: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = purge.Looked(places=())
    found = purge.Trace(tenant="demo", stack=True, files=())
    monkeypatch.setattr(purge, "where", lambda tenant, **how: looked)
    monkeypatch.setattr(purge, "trace", lambda tenant, where: found)
    monkeypatch.setattr(purge, "running", lambda tenant, where: running)
    told = ran("purge", "demo", "--dry-run")
    assert told.exit_code == 0
    refused = "15 containers are running; destroy the portal before you purge it: ./portal destroy demo --confirm demo\n"
    assert (refused in told.stdout) is (running > 0)
    assert json.loads(ran("purge", "demo", "--dry-run", "--json").stdout)["running"] == running
