"""Wrong words end with exit code 2 before anything is done, and say what to type instead."""

from dataclasses import fields

import pytest

from automation.portals.onboarding_request import OnboardingRequest
from config.reading.errors import ConfigError
from tests.unit.automation.commands.cli_runner import output_line, run_portal

NEW = ("new", "oak", "--lms", "learn.oak.example")


@pytest.fixture(autouse=True)
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine answers: what is wrong with words alone asks none."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")


@pytest.mark.parametrize(
    "option",
    [f"--{each.name.replace('_', '-')}" for each in fields(OnboardingRequest) if each.default == ""],
)
def test_an_empty_word_is_no_wish_for_the_default(option: str) -> None:
    error = run_portal(*NEW, option, "", "--dry-run").exception
    assert isinstance(error, ConfigError)
    assert str(error).startswith(f"{option}: is empty, expected ")
    assert "or leave it out" in str(error)


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
    error = run_portal(*words).exception
    assert isinstance(error, ConfigError)
    assert str(error).startswith(f"{option}: is empty, expected ")


def test_a_title_says_how_long_it_may_be() -> None:
    assert str(run_portal(*NEW, "--title", "").exception) == (
        "--title: is empty, expected 1 to 80 characters, for example 'Oak University'; or leave it out"
    )


def test_a_port_that_is_no_number() -> None:
    result = run_portal(*NEW, "--port", "abc")
    assert result.exit_code == 2
    assert "'--port': 'abc' is not a number, for example 8080" in output_line(result)
