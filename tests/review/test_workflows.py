"""The workflows: words that the command knows, and no secret where somebody else's code runs."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import typer
import yaml

from automation.cli import app
from automation.review import DATA_LOSS
from tests.programs import ROOT

GITHUB = ROOT / ".github" / "workflows" / "preview.yml"
GITLAB = ROOT / "docs" / "ci" / "gitlab-ci.yml"
SAME = "github.event.pull_request.head.repo.full_name == github.repository"
MINE = "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID"
SECRETS = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_BACKEND_URL")


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    # YAML 1.1 takes `on` for a truth value.
    told: dict[Any, Any] = yaml.safe_load(GITHUB.read_text())
    return {"on" if key is True else key: value for key, value in told.items()}


@pytest.fixture(scope="module")
def pipeline() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load(GITLAB.read_text())
    return told


def commands(script: str) -> Iterator[list[str]]:
    """The words behind each `./portal` of a script."""
    for line in script.splitlines():
        if "./portal " in line:
            words = line.partition("./portal ")[2].partition(" | ")[0].partition(" >")[0]
            yield shlex.split(words.replace('${ALLOW:+"$ALLOW"}', f"--allow={DATA_LOSS}"))


def scripts(workflow: dict[str, Any], pipeline: dict[str, Any]) -> list[str]:
    found = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    return [*found, *(line for job in pipeline.values() if "script" in job for line in job["script"])]


def test_their_words_are_the_commands_own(workflow: dict[str, Any], pipeline: dict[str, Any]) -> None:
    known: Any = typer.main.get_command(app)
    seen = [words for script in scripts(workflow, pipeline) for words in commands(script)]
    assert {words[0] for words in seen} == {"changed", "tenants", "preview", "comment"}
    for words in seen:
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


def test_every_job_has_a_limit_and_the_history(workflow: dict[str, Any], pipeline: dict[str, Any]) -> None:
    assert all(job["timeout-minutes"] <= 60 for job in workflow["jobs"].values())
    assert all("timeout" in job for job in pipeline.values() if isinstance(job, dict) and "script" in job)
    for name in ("touched", "preview"):
        assert workflow["jobs"][name]["steps"][0]["with"]["fetch-depth"] == 0
    assert pipeline["variables"]["GIT_DEPTH"] == "0"


def test_the_label_allows_what_the_command_allows(workflow: dict[str, Any], pipeline: dict[str, Any]) -> None:
    step = next(step for step in workflow["jobs"]["preview"]["steps"] if "ALLOW" in step.get("env", {}))
    assert f"'{DATA_LOSS}') && '--allow={DATA_LOSS}'" in step["env"]["ALLOW"]
    assert any(
        f"*,{DATA_LOSS},*) ALLOW=--allow={DATA_LOSS}" in line for line in pipeline["preview"]["script"]
    )


def test_gitlab_keeps_each_secret_in_an_environment(pipeline: dict[str, Any]) -> None:
    jobs = {name: job for name, job in pipeline.items() if isinstance(job, dict) and "script" in job}
    assert set(jobs) == {"touched", "preview", "comment"}
    assert "environment" not in jobs["touched"]
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
