"""The workflows: words that the command knows, and no secret where somebody else's code runs."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from automation.cli import app
from automation.review.tenant_review import DATA_LOSS
from tests.programs import ROOT

GITHUB = ROOT / ".github" / "workflows" / "preview.yml"
GITLAB = ROOT / "docs" / "ci" / "gitlab-ci.yml"
SAME = "github.event.pull_request.head.repo.full_name == github.repository"
MINE = "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID"
SECRETS = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_BACKEND_URL")


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    # YAML 1.1 takes `on` for a truth value.
    document: dict[Any, Any] = yaml.safe_load(GITHUB.read_text())
    return {"on" if key is True else key: value for key, value in document.items()}


@pytest.fixture(scope="module")
def pipeline() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(GITLAB.read_text())
    return document


def commands(script: str) -> Iterator[list[str]]:
    """The words behind each `./portal` of a script."""
    for line in script.splitlines():
        if "./portal " in line:
            words = line.partition("./portal ")[2].partition(" | ")[0].partition(" >")[0]
            yield shlex.split(words.replace('${ALLOW:+"$ALLOW"}', f"--allow={DATA_LOSS}"))


def scripts(workflow: dict[str, Any], pipeline: dict[str, Any]) -> list[str]:
    lines = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    return [*lines, *(line for job in pipeline.values() if "script" in job for line in job["script"])]


def test_their_words_are_the_commands_own(workflow: dict[str, Any], pipeline: dict[str, Any]) -> None:
    known: Any = typer.main.get_command(app)
    command_lines = [words for script in scripts(workflow, pipeline) for words in commands(script)]
    assert {words[0] for words in command_lines} == {"changed", "tenants", "preview", "comment"}
    for words in command_lines:
        verb = known.commands[words[0]]
        # Raises for an option or a number of words that the command does not have.
        verb.make_context(words[0], list(words[1:]))


def test_no_run_has_text_of_a_pull_request_in_it(workflow: dict[str, Any]) -> None:
    """A title or a branch's name in `${{ }}` of a script would be run."""
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), step


def test_strangers_code_meets_no_secret_and_no_token(workflow: dict[str, Any]) -> None:
    assert set(workflow["on"]) == {"pull_request"}
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        text = yaml.safe_dump(job)
        if name in ("label", "previewed"):
            # No code at all but a line of shell.
            assert not any("uses" in step for step in job["steps"]), name
            assert "secrets." not in text, name
            continue
        checkouts = [
            step for step in job["steps"] if str(step.get("uses", "")).startswith("actions/checkout@")
        ]
        assert all(step["with"]["persist-credentials"] is False for step in checkouts), name
        assert len(checkouts) == 1, name
        own_code = "base.sha" not in str(checkouts[0]["with"].get("ref", ""))
        if "secrets." in text:
            assert SAME in " ".join(job["if"].split()), name
            assert " || " not in job["if"], name
            assert job["environment"], name
        if own_code:
            assert job["permissions"] == {"contents": "read"}, name
            assert "github.token" not in text, name
        if "write" in job["permissions"].values():
            assert not own_code, name
            assert "secrets." not in text, name


def test_the_comment_follows_a_preview_that_ran(workflow: dict[str, Any]) -> None:
    job = workflow["jobs"]["comment"]
    assert job["needs"] == "preview"
    assert "needs.preview.result != 'skipped'" in job["if"]
    upload = workflow["jobs"]["preview"]["steps"][-1]
    assert upload["if"] == "${{ !cancelled() }}"


# What each tag pointed at when it was looked up in the actions' own repositories.
COMMITS = {
    "actions/checkout": ("v6.0.2", "de0fac2e4500dabe0009e67214ff5f5447ce83dd"),
    "actions/upload-artifact": ("v6.0.0", "b7c566a772e6b6bfb58ed0dc250532a479d7789f"),
    "actions/download-artifact": ("v7.0.0", "37930b1c2abaa49bbe596cd826c3c89aef350131"),
}


def test_actions_are_named_by_commit() -> None:
    lines = GITHUB.read_text().splitlines()
    used = [(number, line) for number, line in enumerate(lines) if "uses:" in line]
    assert len(used) >= 5
    for number, line in used:
        name, _, commit = line.partition("uses:")[2].strip().partition("@")
        assert re.fullmatch("[0-9a-f]{40}", commit), line
        version, known = COMMITS[name]
        assert commit == known, name
        assert re.search(rf"# (.* )?{re.escape(version)}$", lines[number - 1]), lines[number - 1]


@pytest.mark.parametrize("preview", ["success", "failure", "cancelled", "skipped", ""])
@pytest.mark.parametrize("touched", ["success", "failure", "cancelled", "skipped", ""])
def test_the_check_to_require_cannot_be_skipped_into_success(
    workflow: dict[str, Any], touched: str, preview: str
) -> None:
    job = workflow["jobs"]["previewed"]
    assert job["if"] == "${{ always() }}"
    assert set(job["needs"]) == {"touched", "preview"}
    (step,) = job["steps"]
    assert "if" not in step
    assert "continue-on-error" not in yaml.safe_dump(workflow)
    assert step["env"] == {"TOUCHED": "${{ needs.touched.result }}", "PREVIEW": "${{ needs.preview.result }}"}
    ran = subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        env={"TOUCHED": touched, "PREVIEW": preview},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode == 0) == (touched == preview == "success")
    assert ("No preview was made" in ran.stdout) == (preview == "skipped")


def test_no_failure_is_lost_in_a_pipe(workflow: dict[str, Any], pipeline: dict[str, Any]) -> None:
    """GitHub's own shell has no pipefail: of `./portal changed | tee` the code of tee would count."""
    for script in scripts(workflow, pipeline):
        for line in script.splitlines():
            assert " | " not in line.replace(" || ", ""), line


EVENTS = (
    ("opened", "", False),
    ("reopened", "", False),
    ("synchronize", "", False),
    ("labeled", "bug", False),
    ("unlabeled", "bug", False),
    ("unlabeled", DATA_LOSS, False),
    ("labeled", DATA_LOSS, True),
)


def holds(expression: str, action: str, label: str, labels: list[str]) -> Any:
    """A GitHub expression of the few words that these are made of, for an event of a branch of the repository."""
    words = expression.strip().removeprefix("${{").removesuffix("}}")
    for theirs, ours in {
        "github.event.pull_request.head.repo.full_name": "'a/b'",
        "github.repository": "'a/b'",
        "github.event.action": repr(action),
        "github.event.label.name": repr(label),
        "github.event.pull_request.labels.*.name": repr(labels),
        "&&": " and ",
        "||": " or ",
        "!(": " not (",
    }.items():
        words = words.replace(theirs, ours)
    return eval(" ".join(words.split()), {"contains": lambda many, one: one in many})


@pytest.mark.parametrize(("action", "label", "allowed"), EVENTS)
def test_a_label_holds_for_the_commit_that_it_was_put_on(
    workflow: dict[str, Any], action: str, label: str, allowed: bool
) -> None:
    step = next(step for step in workflow["jobs"]["preview"]["steps"] if "ALLOW" in step.get("env", {}))
    # GitHub sends all labels with every event, whenever they were put on.
    labels = [DATA_LOSS, "bug"]
    is_allowed = holds(step["env"]["ALLOW"], action, label, labels)
    assert is_allowed == (f"--allow={DATA_LOSS}" if allowed else "")
    fall = workflow["jobs"]["label"]
    assert holds(fall["if"], action, label, labels) is not allowed
    assert not holds(fall["if"], action, label, ["bug"])
    assert fall["permissions"] == {"pull-requests": "write"}
    assert [sorted(each) for each in fall["steps"]] == [["env", "name", "run"]]


@pytest.mark.parametrize(
    ("labels", "allowed"),
    [
        ("", False),
        ("data-loss", False),
        ("bug,data-loss-abc1,x", True),
        ("data-loss-abc12", False),
        ("data-loss-abc", False),
    ],
)
def test_gitlabs_label_names_the_commit(pipeline: dict[str, Any], labels: str, allowed: bool) -> None:
    script = "\n".join(
        each for each in pipeline["preview"]["script"] if "./portal" not in each and ">" not in each
    )
    ran = subprocess.run(
        ["bash", "-eu", "-c", script + '\necho "[$ALLOW]"'],
        env={"CI_COMMIT_SHA": "abc1", "CI_MERGE_REQUEST_LABELS": labels},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stdout.splitlines()[-1] == (f"[--allow={DATA_LOSS}]" if allowed else "[]")


@pytest.mark.parametrize(("kept", "good"), [("7", True), ("6", False), (None, False)])
def test_gitlabs_last_job_wants_this_pipelines_preview(
    pipeline: dict[str, Any], kept: str | None, good: bool, tmp_path: Path
) -> None:
    job = pipeline["previewed"]
    assert job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"', "when": "always"}]
    assert job["variables"] == {"GIT_STRATEGY": "none"}
    if kept:
        (tmp_path / "previewed.txt").write_text(f"{kept}\n")
    ran = subprocess.run(
        ["bash", "-e", "-c", "\n".join(job["script"])],
        cwd=tmp_path,
        env={"CI_PIPELINE_ID": "7", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode == 0) is good


def test_every_job_has_a_limit_and_the_history(workflow: dict[str, Any], pipeline: dict[str, Any]) -> None:
    assert all(job["timeout-minutes"] <= 60 for job in workflow["jobs"].values())
    assert all("timeout" in job for job in pipeline.values() if isinstance(job, dict) and "script" in job)
    for name in ("touched", "preview"):
        assert workflow["jobs"][name]["steps"][0]["with"]["fetch-depth"] == 0
    assert pipeline["variables"]["GIT_DEPTH"] == "0"


def test_gitlab_keeps_each_secret_in_an_environment(pipeline: dict[str, Any]) -> None:
    jobs = {name: job for name, job in pipeline.items() if isinstance(job, dict) and "script" in job}
    assert set(jobs) == {"touched", "preview", "comment", "previewed"}
    assert "environment" not in {**jobs["touched"], **jobs["previewed"]}
    # A variable of an environment is kept from other environments, not from who writes a job for it.
    assert "must be PROTECTED" in GITLAB.read_text()
    assert jobs["preview"]["environment"]["name"] != jobs["comment"]["environment"]["name"]
    for name in ("preview", "comment"):
        assert all(MINE in rule["if"] and "||" not in rule["if"] for rule in jobs[name]["rules"]), name
    first = jobs["comment"]["script"][0]
    assert re.match(r'git switch --detach "origin/\$CI_MERGE_REQUEST_TARGET_BRANCH_NAME"', first)
    assert not any(secret in yaml.safe_dump(jobs) for secret in SECRETS)


@pytest.mark.skipif(not shutil.which("actionlint"), reason="actionlint is not on PATH")
def test_actionlint_has_nothing_to_say() -> None:
    ran = subprocess.run(["actionlint", str(GITHUB)], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout
