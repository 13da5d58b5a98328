"""Every verb that prints facts, into a pipe: each row on one line with whole values, no notation of Python's, and all of it in JSON."""

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from automation import cli, images
from automation.commands import portals as portal_verbs
from automation.commands import review as review_verbs
from automation.drive import sentinel
from automation.engine import inventory, service_logs
from automation.engine.image_contract import Report
from automation.fleet import worker_pool
from automation.fleet.outcome import Outcome
from automation.images.contract import Check
from automation.images.listing import Row
from automation.portals import (
    demo,
    destroy,
    image_supply,
    onboarding,
    orphans,
    preview,
    purge,
    status,
    tenant_files,
    up,
)
from automation.portals.orphans import Orphan, Portal
from automation.portals.ownership import Owner, Side
from automation.review.affected_tenants import Affected
from automation.runs.plan import Change, Difference, Plan
from tests.unit.automation.commands.notation import NOTATION
from toolchain.table import plain

# Names as long as nobody has and somebody may, and as wide.
LONG = "name-of-sixty-characters-which-nobody-gives-and-somebody-may"
WIDE = "学院é" * 20
PATH = f"/srv/portals/{LONG}/{LONG}"
REASON = f"the engine says no:\n  {WIDE} is taken"
CONTAINER = "docker:index/container:Container"
assert len(LONG) == len(WIDE) == 60

Patch = pytest.MonkeyPatch
# Text of an error is a line of its own on standard error, whatever its lines.
ONE_LINE = REASON.replace("\n", "\\n")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A verb's words, what it finds, and the values that stand on one line together. `only` are said in the table alone."""

    words: tuple[str, ...]
    finds: Callable[[Patch], None]
    lines: tuple[tuple[str, ...], ...]
    only: frozenset[str] = frozenset()
    code: int = 0

    def __str__(self) -> str:
        return "-".join(each for each in self.words if each != LONG)


def change(name: str, op: str = "update") -> Change:
    """One of a container, of properties with every kind of value."""
    return Change(
        urn=f"urn:pulumi:x::portals::{CONTAINER}::{name}",
        op=op,
        differences=(
            Difference(path="envs[0]", kind="update", replaces=False, before=None, after=True),
            Difference(path=f"labels.{LONG}", kind="update", replaces=False, before={"a": ("b",)}, after=[]),
        ),
        before={"image": None},
        after={"image": True},
    )


def plan(tenant: str, *changes: Change) -> Plan:
    return Plan(tenant=tenant, changes=changes)


def finds_tenants(patch: Patch) -> None:
    one = SimpleNamespace(
        name=LONG,
        title=WIDE,
        release=SimpleNamespace(name="redwood", support_ends=date(2024, 12, 16)),
        images="packages",
        hosts=SimpleNamespace(lms=f"{LONG}.example"),
        directory=PATH,
    )
    patch.setattr(portal_verbs, "load_valid", lambda folder: ({LONG: one}, ()))


def finds_status(patch: Patch) -> None:
    portal_status = {
        "tenant": LONG,
        "healthy": True,
        "services": {
            "lms": {"container": f"{LONG}-lms", "state": "running", "health": "healthy", "exit_code": None},
            "gone": {"container": "", "state": "missing", "health": None, "exit_code": None},
            "migrate": {"container": f"{LONG}-migrate", "state": "exited", "health": None, "exit_code": 3},
        },
        "host_rules": "held",
        "without_process_limit": [],
        "drive": {"unknown": PATH, "warnings": []},
    }
    patch.setattr(tenant_files, "load", lambda name: None)
    patch.setattr(status, "status", lambda tenant: portal_status)


FACTS: Mapping[str, Any] = {
    "tenant": LONG,
    "addresses": {"lms": f"http://{LONG}.example:8080"},
    "admin": {"email": f"admin@{LONG}.example", "password_file": f"{PATH}/password"},
    "directory": PATH,
    "seconds": 12.3,
    "openedx": {
        "notice": WIDE,
        "images": "hub",
        "title": "Redwood",
        "supported": False,
        "support_ends": "2025-06-30",
    },
}
FACT_LINES = (
    ("lms", f"http://{LONG}.example:8080"),
    (f"admin@{LONG}.example",),
    (f"{PATH}/password",),
    (PATH,),
    ("12.3",),
)


def finds_up(patch: Patch) -> None:
    patch.setattr(tenant_files, "load", lambda name: None)
    patch.setattr(up, "up", lambda tenant, say, **how: dict(FACTS))
    patch.setattr(demo, "demo", lambda say, **how: dict(FACTS))
    patch.setattr(destroy, "destroy", lambda tenant, say: PATH)
    patch.setattr(destroy, "destroy_plan", lambda tenant: plan(LONG, change(WIDE, "delete")))


def finds_several(patch: Patch) -> None:
    ended = [
        Outcome(tenant=LONG, plan=plan(LONG, change(WIDE)), seconds=1.25),
        Outcome(tenant="oak", exit_code=1, reason=REASON, seconds=2.0),
    ]
    patch.setattr(worker_pool, "for_each_tenant", lambda verb, names, **how: ended if names else [])
    patch.setattr(image_supply, "build_images", lambda found, say: None)
    patch.setattr(tenant_files, "load", lambda name: SimpleNamespace(name=name))
    patch.setattr(
        destroy,
        "destroy_plan",
        lambda tenant: plan(tenant.name, change(WIDE, "delete"), change("b", "delete")),
    )


def finds_preview(patch: Patch) -> None:
    patch.setattr(tenant_files, "load", lambda name: SimpleNamespace(name=name))
    patch.setattr(preview, "preview", lambda tenant, **how: plan(LONG, change(WIDE)))


def finds_changed(patch: Patch) -> None:
    result = Affected(
        tenants={LONG: (f"{PATH}: {WIDE}", "config/fleet.yml: all portals"), "oak": ("a: b",)},
        removed={},
        left=(f"{WIDE}.md: touches no portal",),
    )
    patch.setattr(review_verbs, "affected_since", lambda ref: result)


STEPS = {"images": 0.1, "portal": 21.55}


def finds_new(patch: Patch) -> None:
    facts = {
        **FACTS,
        "file": f"tenants/{LONG}.yaml",
        "log_in_link": f"http://{LONG}/{LONG}",
        "steps": STEPS,
        "text": "",
        "networks": {"front": "10.77.0.0/27"},
        "services": ["cms", "lms"],
        "running": [],
        "memory_mib": {"at_least": 1024, "at_most": 2048},
        "digests": {},
        "note": None,
        "refused": None,
        "exit_code": 0,
    }
    patch.setattr(onboarding, "onboard", lambda request, say: facts)
    patch.setattr(onboarding, "dry_run", lambda request, say: facts)


def finds_left(patch: Patch) -> None:
    parts = (
        Orphan(kind="container", name=f"{LONG}-lms", tenant=LONG),
        Orphan(kind="directory", name=PATH, tenant=LONG, where="/srv/portals"),
    )
    left = [
        Portal(tenant=LONG, owner=Owner(side=Side.OTHERS, name=WIDE), parts=parts),
        Portal(tenant="oak", owner=Owner(side=Side.OURS), parts=parts[:1]),
    ]
    patch.setattr(images, "build", lambda roles, **how: {})
    patch.setattr(orphans, "find", lambda say: left)


def finds_check(patch: Patch) -> None:
    kept = Check(name="python", ok=True, found="3.8", expected=WIDE)
    lost = Check(name="settings", ok=False, found=WIDE, expected=WIDE, remedy=WIDE)
    report = Report(reference=LONG, id="sha256:1", digest="", megabytes=900, checks=(kept, lost))
    patch.setattr(image_supply, "check_image", lambda reference, release, say, **how: report)


def finds_traces(patch: Patch) -> None:
    host = f"ssh://ops@{LONG}"
    scope = purge.SearchScope(places=())
    trace = purge.Trace(
        tenant=LONG,
        containers=(("", f"{LONG}-lms"), (host, f"{LONG}-cms")),
        directories=(("", PATH),),
        stack=True,
        files=(f"{PATH}.yaml",),
        unseen=("/srv/gone",),
    )
    patch.setattr(purge, "search_scope", lambda tenant, **how: scope)
    patch.setattr(purge, "trace", lambda tenant, where: trace)
    patch.setattr(purge, "count_running", lambda tenant, where: 0)


def finds_images(patch: Patch) -> None:
    rows = [
        Row(role=LONG, reference=f"portals/{LONG}:1", present=True, megabytes=91, created=None),
        Row(role="absent", reference="portals/absent:2", present=False, megabytes=None, created=None),
    ]
    patch.setattr(images, "list_images", lambda: rows)
    patch.setattr(images, "build", lambda roles, **how: {LONG: f"portals/{LONG}:1"})
    patch.setattr(images, "prune", lambda found, **how: found[:1])
    patch.setattr(image_supply, "unwanted_images", lambda host: [f"portals/{LONG}:1", f"portals/{LONG}:2"])
    patch.setattr(image_supply, "pin", lambda release, say: Path(PATH))


def finds_drive(patch: Patch) -> None:
    patch.setattr(inventory, "connect", lambda host: nullcontext())
    patch.setattr(images, "build", lambda roles, **how: {})
    patch.setattr(sentinel, "init", lambda client, root, say, **how: False)


def finds_looks(patch: Patch) -> None:
    patch.setattr(tenant_files, "load", lambda name: SimpleNamespace(stays_up=["lms"]))
    patch.setattr(service_logs, "address", lambda tenant, service: f"http://{LONG}.example")
    patch.setattr(service_logs, "logs", lambda *words, **how: iter([("lms", f"{WIDE} 1")]))


SEVERAL = ((LONG, "done", "1.2"), ("oak", "failed", "2.0", ONE_LINE))
GONE = ((LONG, "delete", CONTAINER, WIDE, f"labels.{LONG}"), ("oak", "delete", "b"))
CASES = (
    Case(words=("tenants",), finds=finds_tenants, lines=((LONG, WIDE, "redwood", f"{LONG}.example", PATH),)),
    Case(
        words=("status", LONG),
        finds=finds_status,
        lines=(
            ("lms", f"{LONG}-lms", "running", "healthy"),
            ("migrate", f"{LONG}-migrate", "exited", "3"),
            ("gone", "missing"),
        ),
    ),
    Case(words=("up", LONG), finds=finds_up, lines=FACT_LINES),
    Case(words=("demo",), finds=finds_up, lines=FACT_LINES),
    Case(
        words=("up", LONG, "oak"),
        finds=finds_several,
        lines=SEVERAL,
        only=frozenset({"done", "failed"}),
        code=1,
    ),
    Case(
        words=("destroy", LONG, "oak", "--confirm", f"{LONG},oak"),
        finds=finds_several,
        lines=SEVERAL,
        only=frozenset({"done", "failed"}),
        code=1,
    ),
    Case(words=("destroy", LONG, "oak", "--dry-run"), finds=finds_several, lines=GONE),
    Case(words=("destroy", LONG, "--dry-run"), finds=finds_several, lines=GONE[:1]),
    Case(words=("destroy", LONG, "--confirm", LONG), finds=finds_up, lines=((LONG, PATH),)),
    Case(
        words=("preview", LONG),
        finds=finds_preview,
        lines=(("update", CONTAINER, WIDE, f"labels.{LONG}"),),
    ),
    Case(
        words=("preview", LONG, "oak"),
        finds=finds_several,
        lines=((LONG, "1 to update"), ("oak", ONE_LINE)),
        only=frozenset({"1 to update"}),
        code=1,
    ),
    Case(
        words=("changed", "HEAD"),
        finds=finds_changed,
        lines=(
            (LONG, f"{PATH}: {WIDE}"),
            (LONG, "config/fleet.yml: all portals"),
            ("oak", "a: b"),
            (f"{WIDE}.md: touches no portal",),
        ),
    ),
    Case(
        words=("new", LONG, "--lms", "x.example.com", "--dry-run"),
        finds=finds_new,
        lines=((PATH,), ("front", "10.77.0.0/27"), ("cms", "lms"), ("1024", "2048"), ("lms", "http://")),
        only=frozenset({"http://"}),
    ),
    Case(
        words=("new", LONG, "--lms", "x.example.com"),
        finds=finds_new,
        lines=(*FACT_LINES, ("portal", "21.6"), (f"http://{LONG}/{LONG}",)),
    ),
    Case(
        words=("orphans",),
        finds=finds_left,
        lines=((LONG, WIDE, "1 container, 1 directory"), ("oak", "this state", "1 container")),
        only=frozenset({"1 container, 1 directory", "1 container", "this state"}),
    ),
    Case(
        words=("purge", LONG, "--dry-run"),
        finds=finds_traces,
        lines=((f"{LONG}-lms",), (f"{LONG}-cms",), (PATH,), (f"{PATH}.yaml",), ("/srv/gone",)),
    ),
    Case(
        words=("images", "list"),
        finds=finds_images,
        lines=((LONG, f"portals/{LONG}:1", "yes", "91"), ("absent", "portals/absent:2", "no")),
    ),
    Case(words=("images", "build"), finds=finds_images, lines=()),
    Case(words=("images", "prune", "--dry-run"), finds=finds_images, lines=((f"portals/{LONG}:2",),)),
    Case(
        words=("images", "prune", "--confirm", "prune"),
        finds=finds_images,
        lines=((f"portals/{LONG}:1",), (f"portals/{LONG}:2", "kept")),
        only=frozenset({"kept"}),
    ),
    Case(words=("images", "pin", "redwood"), finds=finds_images, lines=((PATH,),)),
    Case(
        words=("images", "check", "acme/openedx:1"),
        finds=finds_check,
        lines=(("python", "yes", "3.8"), ("settings", "no", WIDE), ("settings: ",)),
        only=frozenset({"settings: "}),
        code=12,
    ),
    Case(words=("drive", "init", PATH), finds=finds_drive, lines=()),
    Case(words=("open", LONG, "--print"), finds=finds_looks, lines=((f"http://{LONG}.example",),)),
    Case(words=("logs", LONG), finds=finds_looks, lines=(("lms", f"{WIDE} 1"),)),
)
# What hands its streams to other programs, or writes elsewhere: tests/unit/automation/review/test_forge.py has the comment.
WITHOUT_JSON = {"test": "ruff, mypy and pytest print", "lint": "ruff and mypy print"}
ELSEWHERE = {"comment"}


def ran(*words: str) -> Result:
    # As the shell of a CI job may have it; nothing of it makes a pipe a terminal.
    return CliRunner().invoke(
        cli.app, words, env={"COLUMNS": "40", "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_pipe_has_each_row_on_one_line(case: Case, monkeypatch: Patch) -> None:
    case.finds(monkeypatch)
    result = ran(*case.words)
    assert result.exit_code == case.code, result.output
    for values in case.lines:
        lines = [line for line in result.stdout.splitlines() if all(each in line for each in values)]
        assert lines, (values, result.stdout)
    assert NOTATION.findall(result.stdout) == [], result.stdout
    assert "\x1b" not in result.stdout
    assert not [line for line in result.stdout.splitlines() if line != line.rstrip()]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_json_is_one_object_that_says_all_of_it(case: Case, monkeypatch: Patch) -> None:
    case.finds(monkeypatch)
    result = ran(*case.words, "--json")
    assert result.exit_code == case.code, result.output
    facts = json.loads(result.stdout)
    assert isinstance(facts, dict)
    known = words(facts)
    expected = {each.replace("\\n", "\n") for values in case.lines for each in values} - case.only
    assert expected - known == set()


def words(facts: Any) -> set[str]:
    """The keys and values of a JSON text, as a table says them."""
    if isinstance(facts, dict):
        return set(facts).union(*(words(each) for each in facts.values()))
    if isinstance(facts, list):
        return set().union(*map(words, facts))
    return {plain(facts)}


def verbs() -> dict[str, Any]:
    """Every verb of the command by its words."""
    commands: dict[str, Any] = {}
    for name, each in typer.main.get_command(cli.app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(each, "commands", None)
        commands |= {f"{name} {one}": command for one, command in inner.items()} if inner else {name: each}
    return commands


def test_every_verb_has_json() -> None:
    lacking = {
        name for name, each in verbs().items() if not any("--json" in option.opts for option in each.params)
    }
    assert lacking == set(WITHOUT_JSON)


def test_every_verb_is_among_the_cases() -> None:
    named = {
        " ".join(each.words[:2]) if each.words[0] in ("images", "drive") else each.words[0] for each in CASES
    }
    assert set(verbs()) - named == WITHOUT_JSON.keys() | ELSEWHERE


@pytest.mark.parametrize(
    ("words", "total"),
    [
        (("tenants",), "1 tenant"),
        (("status",), f"{LONG}: 1 of 3 services up"),
        (("orphans",), "2 containers, 1 directory in 2 portals without a tenant file"),
        (("changed",), "2 tenants can be touched"),
        (("images", "list"), "2 images, 1 there"),
        (("purge",), f"{LONG}: 2 containers, 1 directory, 1 file, 1 stack"),
    ],
)
def test_a_list_begins_with_its_sum(words: tuple[str, ...], total: str, monkeypatch: Patch) -> None:
    case = next(each for each in CASES if each.words[: len(words)] == words)
    case.finds(monkeypatch)
    assert ran(*case.words).stdout.splitlines()[0] == total
