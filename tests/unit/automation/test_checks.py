"""What `./portal test` runs: pytest with the words it is given, or lint and all tests shared among workers."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from automation import checks, images

HERE = [sys.executable, "-m", "pytest"]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Every command, in the order in which it is run."""
    commands: list[list[str]] = []

    @contextmanager
    def building() -> Iterator[None]:
        yield

    def run(words: list[str]) -> int:
        commands.append(words)
        return 0

    monkeypatch.setattr(checks, "run", run)
    monkeypatch.setattr(checks, "building", building)
    monkeypatch.setattr(images, "build", lambda roles, on_event: None)
    monkeypatch.setattr(os, "chdir", lambda folder: None)
    monkeypatch.setattr(os, "execv", lambda program, words: commands.append(words))
    return commands


def test_words_are_pytests_alone(ran: list[list[str]]) -> None:
    checks.test(["tests/unit", "-x", "-k", "name"], lambda text: None)
    assert ran == [[*HERE, "tests/unit", "-x", "-k", "name"]]


def test_all_tests_are_linted_first_and_shared_among_workers(ran: list[list[str]]) -> None:
    checks.test([], lambda text: None)
    assert [words[2] for words in ran] == ["ruff", "ruff", "mypy", "pytest"]
    assert ran[-1] == [*HERE, "-n", "3"]


def test_what_lint_finds_ends_it(ran: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "run", lambda words: 1)
    assert checks.test([], lambda text: None) == 1
    assert ran == []
