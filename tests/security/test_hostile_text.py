"""Text that is not ours, at every place that shows it: seen, and obeyed by nobody."""

import contextlib
import io
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from automation import cli, stack
from automation.commands import logs as looking_verbs
from automation.commands import portals as portal_verbs
from automation.commands import review as review_verbs
from automation.commands import show
from automation.engine import service_logs
from automation.errors import PortalError
from automation.fleet.outcome import Outcome
from automation.images.event import BuildError, Event, State
from automation.images.progress import building
from automation.portals import destroy, orphans, status, tenant_files
from automation.review.affected_tenants import Affected, Fleet, affected
from automation.review.changed_files import File, since
from automation.review.markdown import code, rows
from automation.review.tenant_review import Review
from automation.runs.plan import Plan
from config.reading.errors import ConfigError
from config.values import names
from tests.programs import ROOT, TENANTS
from tests.security.hostile import FEW, TEXTS, obeyed_by_browser, obeyed_by_terminal, rendered
from toolchain import output, table, terminal
from toolchain.setup.progress import Progress
from toolchain.setup.stamps import PartResult

text = st.lists(st.one_of(st.sampled_from(TEXTS), st.text(max_size=8)), max_size=5).map("".join)


def test_the_attacks_are_seen_where_nothing_is_written_out() -> None:
    """Or a test that finds nothing would prove nothing."""
    for each in ("\x1b[31m", "a\n::error::b", "a ##[error]b", "\u202e", "section_start:1:a\r\x1b[0K"):
        assert obeyed_by_terminal(each)
    for each in ("<script>a</script>", "@octocat"):
        assert obeyed_by_browser(each)
    assert obeyed_by_browser("| a |\n|---|\n| [a](http://evil.example) |")


@settings(max_examples=400, deadline=None)
@given(text)
def test_a_line_is_one_line_of_text(hostile: str) -> None:
    shown = terminal.line(hostile)
    assert "\n" not in shown
    assert obeyed_by_terminal(shown) == []
    assert terminal.line(shown) == shown


@settings(max_examples=400, deadline=None)
@given(text)
def test_lines_are_lines_of_text(hostile: str) -> None:
    shown = terminal.lines(hostile)
    assert obeyed_by_terminal(shown) == []
    assert terminal.lines(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Académie",
        "学院",
        "Akademie 🎓",
        "Ω",
        "\u0645\u06cc\u200c\u062e\u0648",
        "👩\u200d🎓",
        "a\u00a0b",
        "::1",
        "a::b",
        "# x",
        "##",
        "a\tb",
    ],
)
def test_what_harms_nobody_stays_as_it_is(text: str) -> None:
    assert terminal.lines(text) == text


@settings(max_examples=300, deadline=None)
@given(text)
def test_code_of_a_page_is_nothing_but_text(shown: str) -> None:
    page = rows(("tenant", "why"), [(shown, shown)])
    assert obeyed_by_browser(page) == []
    assert page.count("\n") == 3
    assert rendered(page).count("<td>") == 2
    assert obeyed_by_terminal(code(shown)) == []


def facts(captured: str) -> Any:
    """What a program reads of the output, with nothing in it for the log that it stands in."""
    assert captured.isascii()
    assert obeyed_by_terminal(captured) == []
    return json.loads(captured)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(text, text, max_size=3))
def test_json_says_the_same_and_is_obeyed_by_nobody(mapping: dict[str, str]) -> None:
    for indent in (None, 2):
        with contextlib.redirect_stdout(io.StringIO()) as held:
            output.tell_json(mapping, indent=indent)
        assert facts(held.getvalue()) == mapping


def everything(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    return captured.out + captured.err


@pytest.fixture(scope="module")
def hostile() -> Affected:
    """As `changed` finds it, with file names that nobody has cleaned."""
    result = affected([File(path=each) for each in TEXTS], Fleet.read(ROOT))
    assert len(result.tenants) >= 2
    return result


def test_names_of_changed_files(
    hostile: Affected, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(review_verbs, "affected_since", lambda ref: hostile)
    review_verbs.changed("HEAD")
    assert obeyed_by_terminal(everything(capsys)) == []
    made = table.Table("tenant", table.prose("why"), grouped=True)
    for name, why in hostile.tenants.items():
        for each in why:
            made.add_row(name, each)
    for width in (80, 23, 400):
        # What is folded begins lines anew; what a table colours is its heads, which are ours.
        shown = made.text(width, on_terminal=True)
        assert obeyed_by_terminal(re.sub(r"\x1b\[[0-9;]*m", "", shown)) == []
    review_verbs.changed("HEAD", as_json=True)
    listed = facts(everything(capsys))
    assert {name: tuple(why) for name, why in listed["tenants"].items()} == dict(hostile.tenants)
    review_verbs.changed("HEAD", markdown=True)
    page = everything(capsys)
    assert obeyed_by_browser(page) == []
    assert rendered(page).count("<tr>") == 1 + page.count("\n") - 2


def test_names_of_files_that_git_has(tmp_path: Path) -> None:
    """From the file system through git to the page: what can be a name, is one."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True, timeout=60)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "a"], check=True, timeout=60)
    made = set()
    for number, each in enumerate(TEXTS):
        try:
            name = os.fsencode(each.replace("/", "_"))
        except UnicodeEncodeError:
            continue
        if not 0 < len(name) < 250 or b"\0" in name or name in (b".", b".."):
            continue
        folder = tmp_path / f"tenants-{number}"
        folder.mkdir()
        with open(os.fsencode(folder) + b"/" + name, "wb"):  # noqa: PTH123 (a name of any bytes)
            made.add(f"tenants-{number}/{os.fsdecode(name)}")
    assert len(made) > 200
    files_changed = since("HEAD", tmp_path)
    assert {each.path for each in files_changed} == made
    page = rows(("tenant", "why"), [(each.path, each.before) for each in files_changed])
    assert obeyed_by_browser(page) == []
    assert obeyed_by_terminal(terminal.lines("\n".join(each.path for each in files_changed))) == []


def test_names_of_branches(capsys: pytest.CaptureFixture[str]) -> None:
    for hostile in words_of_a_command(FEW):
        code, output = ran(capsys, "changed", "--", hostile)
        assert code in (1, 2), output
        assert obeyed_by_terminal(output) == [], hostile
        assert "bug in this program" not in output


def words_of_a_command(texts: Iterable[str]) -> Iterator[str]:
    """Those that can be words of a command line: any bytes but NUL."""
    for each in texts:
        with contextlib.suppress(UnicodeEncodeError):
            if "\0" not in os.fsdecode(os.fsencode(each)):
                yield each


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The exit code of `./portal` and all that it says, in this process."""
    before = sys.argv
    sys.argv = ["portal", *words]
    try:
        code = output.exit_code_of(cli.main)
    finally:
        sys.argv = before
    return code, everything(capsys)


VERBS = (
    ("status", "--json"),
    ("logs", "--json"),
    ("open", "--print"),
    ("destroy", "--dry-run"),
    ("preview", "--json"),
    ("up", "--json"),
    ("new", "--lms=x.example.com", "--dry-run"),
)


@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
def test_names_of_tenants(
    words: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """None is taken, none leads to another file, and none is obeyed where it is refused."""
    read: list[Path] = []
    usual = Path.read_bytes

    def watched(path: Path) -> bytes:
        read.append(path)
        return usual(path)

    monkeypatch.setattr(Path, "read_bytes", watched)
    for each in words_of_a_command(FEW):
        code, output = ran(capsys, *words, "--", each)
        assert code == 2, (each, output)
        assert obeyed_by_terminal(output) == [], each
        assert "bug in this program" not in output
    assert not [each for each in read if each.resolve().is_relative_to("/etc")]


def test_names_of_files_that_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `destroy` would remove of them is asked of the CLI for names alone that a tenant can have."""
    monkeypatch.setattr("automation.stack.subprocess.run", None)
    for each in TEXTS:
        if not re.fullmatch("[a-z][a-z-]+", each):
            assert destroy.removal_plan(each).changes == ()


def test_titles(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenant's title is any text that a person can read, commands of a CI job among them."""
    folder = tmp_path / "tenants"
    monkeypatch.setattr(tenant_files, "TENANTS", folder)
    folder.mkdir()
    tenant = yaml.safe_load((TENANTS / "acme.yaml").read_text())
    good = 0
    for each in FEW:
        (folder / "acme.yaml").write_text(yaml.safe_dump({**tenant, "title": each}))
        code, output = ran(capsys, "tenants")
        assert code in (0, 2), output
        assert obeyed_by_terminal(output) == [], each
        good += code == 0
        if not code:
            code, output = ran(capsys, "tenants", "--json")
            assert facts(output)["tenants"]["acme"]["title"].strip() == each.strip()
    assert good > 20


def test_logs_of_containers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def lines(*words: object, **more: object) -> Iterator[tuple[str, str]]:
        return iter([("lms", each) for each in TEXTS])

    monkeypatch.setattr(service_logs, "logs", lines)
    looking_verbs.logs("acme", "", follow=False, since="", tail=100, as_json=False)
    output = everything(capsys)
    assert obeyed_by_terminal(output) == []
    # One line each, whoever it claims to be from.
    assert [each.partition("|")[0].strip() for each in output.splitlines()] == ["lms"] * len(TEXTS)
    looking_verbs.logs("acme", "", follow=False, since="", tail=100, as_json=True)
    output = everything(capsys)
    assert [facts(each)["line"] for each in output.splitlines()] == list(TEXTS)


def test_reasons_of_engines_and_tools(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = itertools.cycle([PortalError, ConfigError, BuildError, OSError, RuntimeError])
    for kind, each in zip(kinds, FEW, strict=False):

        def failing(*words: object, kind: type[Exception] = kind, each: str = each, **more: object) -> None:
            raise kind(each)

        monkeypatch.setattr(status, "status", failing)
        code, output = ran(capsys, "status", "acme")
        assert code in (1, 2)
        assert obeyed_by_terminal(output) == []
        assert "Traceback" not in output


def test_what_a_preview_says(capsys: pytest.CaptureFixture[str]) -> None:
    reviews = [Review(each, failure=each, why=(each,)) for each in TEXTS]
    quiet: dict[str, Any] = {"refreshed": False, "allowed": ()}
    review_verbs.print_reviews(reviews, list(TEXTS), as_json=False, markdown=False, **quiet)
    assert obeyed_by_terminal(everything(capsys)) == []
    review_verbs.print_reviews(reviews, list(TEXTS), as_json=True, markdown=False, **quiet)
    assert facts(everything(capsys))["left"] == list(TEXTS)
    # tests/unit/automation/review/test_comment.py reads the comment as a page.
    review_verbs.print_reviews(reviews, list(TEXTS), as_json=False, markdown=True, **quiet)
    assert obeyed_by_terminal(everything(capsys)) == []


def test_progress_on_a_tenant_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is a file's, whatever it is, says nothing of another tenant."""
    for each in (*TEXTS, "a\nacme"):
        review_verbs.say_outcome(Outcome(tenant=each))
        output = everything(capsys)
        assert (output.count("\n"), obeyed_by_terminal(output)) == (1, []), each
        assert output.endswith(": preview done (0.0 s)\n")
        refused = Review(each, Plan(tenant=each, changes=(), notes=("a note",)))
        review_verbs.say_engine_findings(refused)
        output = everything(capsys)
        assert (output.count("\n"), obeyed_by_terminal(output)) == (1, []), each
    assert show.names(["a\nb", "c"]) == "a\\nb, c"


def test_what_an_engine_and_a_drive_have(capsys: pytest.CaptureFixture[str]) -> None:
    made = table.Table("tenant", "name", "remedy")
    for each in TEXTS:
        orphan = orphans.Orphan(kind="container", name=each, tenant=each, where=each)
        made.add_row(orphan.tenant, orphan.name, orphan.remedy)
    table.print_table(made)
    assert obeyed_by_terminal(everything(capsys)) == []
    portal_verbs.print_facts(
        {
            "tenant": TEXTS[0],
            "addresses": dict.fromkeys(TEXTS, TEXTS[1]),
            "admin": {"email": TEXTS[2], "password_file": TEXTS[3]},
            "directory": TEXTS[4],
        },
        as_json=False,
    )
    assert obeyed_by_terminal(everything(capsys)) == []


def test_what_builds_and_set_ups_say(capsys: pytest.CaptureFixture[str]) -> None:
    with building() as progress:
        for each in TEXTS:
            progress(Event(role=each, state=State.FAILED))
            progress(Event(role=each, state=State.BUILDING, line=each))
    held = io.StringIO()
    setup = Progress(held)
    for each in TEXTS:
        setup.say(each)
        setup.started("venv")
        setup.doing("venv", each)
        setup.ended(PartResult(part="venv", source="packages", version=each))
    assert obeyed_by_terminal(everything(capsys) + held.getvalue()) == []


def test_names_that_are_no_tenants() -> None:
    """The rule that all else stands on: what may be a directory, a container and a word of a command."""
    for each in TEXTS:
        if re.fullmatch("[a-z][a-z-]+", each):
            # `a-rf` is a name like any other.
            continue
        with pytest.raises(ValueError) as refused:
            names.tenant(each)
        assert obeyed_by_terminal(terminal.lines(str(refused.value))) == []


def test_a_last_line_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    for each in TEXTS:
        show.say(stack.last_line(each))
    assert obeyed_by_terminal(everything(capsys)) == []
