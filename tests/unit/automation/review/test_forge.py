"""One comment a pull request: made once, edited in place, in bounded tries."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from automation.errors import PortalError
from automation.review import forge
from automation.review.comment import LIMIT, MARKER, render
from tests.programs import ROOT
from tests.unit.automation.review.fake_github import BOT, TOKEN, Fake, serving
from tests.unit.automation.review.kinds import COMMENTS, KINDS
from tests.unit.automation.review.test_comment import many

FIRST, SECOND = f"{MARKER}\nfirst", f"{MARKER}\nsecond"


@pytest.fixture
def fake() -> Iterator[Fake]:
    with serving() as made:
        yield made


@pytest.fixture
def environ(fake: Fake, tmp_path: Path) -> dict[str, str]:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}))
    return {
        "GITHUB_API_URL": fake.url,
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_EVENT_PATH": str(event),
    }


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def github(environ: dict[str, str], waits: list[float]) -> forge.Forge:
    return replace(forge.from_environment(environ), wait=waits.append, say=lambda text: None)


def test_made_once_then_edited_in_place(fake: Fake, github: forge.Forge) -> None:
    fake.add("Nice!", "somebody")
    assert github.post(FIRST)[0] == "made"
    assert github.post(FIRST)[0] == "left"
    assert github.post(SECOND) == ("edited", f"{fake.url}/o/r/pull/7#issuecomment-101")
    assert [each["body"] for each in fake.comments] == ["Nice!", SECOND]


def test_found_on_the_third_page(fake: Fake, github: forge.Forge) -> None:
    for number in range(250):
        fake.add(f"comment {number}", "somebody")
    mine = fake.add(FIRST)
    fake.add("later", "somebody")
    assert github.post(SECOND)[0] == "edited"
    assert mine["body"] == SECOND
    assert len(fake.comments) == 252


def test_another_ones_comment_is_never_edited(fake: Fake, github: forge.Forge) -> None:
    fake.add(FIRST, "mallory")
    fake.add(f"> {FIRST}", BOT)
    assert github.post(SECOND)[0] == "made"
    assert [each["body"] for each in fake.comments] == [FIRST, f"> {FIRST}", SECOND]


def test_troubles_that_pass(fake: Fake, github: forge.Forge, waits: list[float]) -> None:
    fake.troubles = [(502, {}), (429, {"Retry-After": "7"}), (503, {"Retry-After": "100000"})]
    assert github.post(FIRST)[0] == "made"
    assert waits == [2.0, 7.0, 60.0]


def test_troubles_that_do_not_pass(fake: Fake, github: forge.Forge, waits: list[float]) -> None:
    fake.troubles = [(500, {})] * 100
    with pytest.raises(PortalError, match="answers 500"):
        github.post(FIRST)
    assert len(waits) == forge.TRIES - 1
    assert len(fake.requests) == forge.TRIES


def test_a_comment_whose_answer_was_lost_is_not_made_twice(fake: Fake, github: forge.Forge) -> None:
    fake.lost = 1
    assert github.post(FIRST)[0] == "left"
    assert len(fake.comments) == 1


def test_nobody_answers(github: forge.Forge, waits: list[float]) -> None:
    away = replace(github, comments="http://127.0.0.1:9/comments")
    with pytest.raises(PortalError, match="does not answer"):
        away.post(FIRST)
    assert len(waits) == forge.TRIES - 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"GITHUB_TOKEN": ""}, "GITHUB_TOKEN is not set"),
        ({"GITHUB_REPOSITORY": ""}, "GITHUB_REPOSITORY is not set"),
        ({"GITHUB_EVENT_PATH": ""}, "names no pull request"),
        ({"GITHUB_EVENT_PATH": "/no/such/file"}, "names no pull request"),
        ({"GITHUB_API_URL": "ftp://x"}, "is not the address of an API"),
        ({"GITHUB_TOKEN": "wrong"}, "pull-requests: write"),
        ({"GITHUB_REPOSITORY": "o/other"}, "check that the repository"),
        (
            {"GITLAB_CI": "true", "GITLAB_TOKEN": TOKEN, "CI_API_V4_URL": "http://x"},
            "CI_PROJECT_ID is not set",
        ),
    ],
)
def test_what_is_missing_is_said(change: dict[str, str], words: str, environ: dict[str, str]) -> None:
    with pytest.raises(PortalError, match=words) as error:
        forge.from_environment({**environ, **change}).post(FIRST)
    assert TOKEN not in str(error.value)


def test_the_token_is_in_no_text_of_it(github: forge.Forge) -> None:
    assert TOKEN not in repr(github)


def test_gitlab(fake: Fake) -> None:
    environ = {
        "GITLAB_CI": "true",
        "GITLAB_TOKEN": TOKEN,
        "CI_API_V4_URL": fake.url,
        "CI_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_IID": "7",
    }
    with pytest.raises(PortalError, match="--author"):
        forge.from_environment(environ)
    gitlab = forge.from_environment(environ, author=BOT)
    assert [gitlab.post(each)[0] for each in (FIRST, FIRST, SECOND)] == ["made", "left", "edited"]
    assert [each["body"] for each in fake.comments] == [SECOND]


def test_the_longest_comment_is_taken(fake: Fake, github: forge.Forge) -> None:
    comment = render(many(300, 27))
    assert LIMIT - 4000 < len(comment.encode()) <= LIMIT
    assert github.post(comment)[0] == "made"


def test_every_kind_of_change_in_one_pull_request(fake: Fake, github: forge.Forge) -> None:
    for kind in KINDS:
        body = (COMMENTS / f"{kind.name}.md").read_text()
        github.post(body)
        assert [each["body"] for each in fake.comments] == [body]


def test_by_the_command(fake: Fake, environ: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "comment.md"
    path.write_text(FIRST)
    words = ["./portal", "comment", str(path), "--json"]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "GITLAB_"))}

    def run_comment(**change: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            words,
            cwd=ROOT,
            env={**kept, **environ, **change},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert json.loads(run_comment().stdout)["done"] == "made"
    assert json.loads(run_comment().stdout)["done"] == "left"
    without = run_comment(GITHUB_TOKEN="")
    assert (without.returncode, without.stdout) == (1, "")
    assert "error: GITHUB_TOKEN is not set" in without.stderr
    path.write_text("anything")
    assert "is not a comment of" in run_comment().stderr
