"""A build's progress where no terminal is."""

import threading

import pytest

from automation.images import progress
from automation.images.event import Event, State


@pytest.fixture(autouse=True)
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine answers: what is wrong with words alone asks none."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")


def test_a_build_in_a_pipe_says_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[str] = []
    waiting = threading.Event()

    def say(text: str) -> None:
        messages.append(text)
        if "still" in text:
            waiting.set()

    monkeypatch.setattr(progress, "say", say)
    with progress.steps(present=False, every=0.01) as step:
        step(Event(role="base", state=State.PRESENT))
        step(Event(role="forum", state=State.BUILDING))
        assert waiting.wait(10)
        step(Event(role="forum", state=State.BUILDING, line="a line of a tool"))
        step(Event(role="forum", state=State.BUILT))
    # Waited for: nothing is said after the end.
    assert messages[0] == "forum: building"
    assert "forum: still building (0 s)" in messages
    assert "forum: built" in messages
    assert {each.partition(" (")[0] for each in messages} == {
        "forum: building",
        "forum: still building",
        "forum: built",
    }
