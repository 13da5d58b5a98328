"""`test` and `lint`, as they are typed."""

from collections.abc import Sequence

import pytest

from automation import checks
from tests.unit.automation.commands.cli_runner import output_line, run_portal


@pytest.fixture(autouse=True)
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine answers: what is wrong with words alone asks none."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("-k", "tenant", "--help")])
def test_the_help_of_the_tests_builds_and_runs_nothing(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[object] = []
    monkeypatch.setattr(checks, "test", lambda *how: begun.append(how))
    result = run_portal("test", *words)
    assert result.exit_code == 0
    assert "./portal test -k tenant" in output_line(result)
    assert begun == []


def test_the_words_of_pytest_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[list[str]] = []

    def test(words: Sequence[str], say: object) -> int:
        begun.append(list(words))
        return 0

    monkeypatch.setattr(checks, "test", test)
    for words in (["-k", "tenant", "-x"], ["--", "--help"], []):
        assert run_portal("test", *words).exit_code == 0
    assert begun == [["-k", "tenant", "-x"], ["--help"], []]
