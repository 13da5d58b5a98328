"""What a run's diagnostics become: each reason once, in its own words."""

from typing import Any

import pytest
from pulumi.automation import OpType
from pulumi.automation.events import (
    DiagnosticEvent,
    EngineEvent,
    ResOpFailedEvent,
    StepEventMetadata,
    StepEventStateMetadata,
)

from automation.runs.events import RunEvents


def reason(*messages: str) -> str:
    events = RunEvents(tenant="acme", on_progress=lambda progress: None)
    for number, each in enumerate(messages):
        event = DiagnosticEvent(message=each, color="never", severity="error")
        events(EngineEvent(sequence=number, timestamp=0, diagnostic_event=event))
    return events.failure_text


@pytest.mark.parametrize(
    ("messages", "reason_text"),
    [
        (["update failed"], "update failed"),
        (["no space", "update failed"], "no space"),
        (["<{%fg 1%}>no space<{%reset%}>\n", "no space"], "no space"),
        (["no space", "an unhandled error occurred: no space", "update failed"], "no space"),
        (["1 error occurred:\n\t* no space\n\n", "no space"], "no space"),
        (["2 errors occurred:\n\t* a\n\t* b"], "2 errors occurred:\n\t* a\n\t* b"),
        (["job a failed", "job b failed"], "job a failed\njob b failed"),
    ],
)
def test_each_reason_is_told_once(messages: list[str], reason_text: str) -> None:
    assert reason(*messages) == reason_text


def state(inputs: dict[str, Any]) -> StepEventStateMetadata:
    return StepEventStateMetadata(
        type="t", urn="u", id="", parent="", provider="", inputs=inputs, outputs={}, custom=True, delete=False
    )


LATE = "cannot reach the Docker engine at unix:///var/run/docker.sock: Read timed out. (read timeout=120)"


@pytest.mark.parametrize(
    ("op", "inputs", "reasons", "names"),
    [
        (OpType.CREATE, {"name": "acme-lms"}, [LATE], ["acme-lms"]),
        (OpType.CREATE_REPLACEMENT, {"name": "acme-lms"}, [LATE], ["acme-lms"]),
        # As the official plugin says it.
        (
            OpType.CREATE,
            {"name": "acme-lms"},
            ['error during connect: Post "http://…/create": EOF'],
            ["acme-lms"],
        ),
        (OpType.UPDATE, {"name": "acme-lms"}, [LATE], []),
        (OpType.CREATE, {"name": None}, [LATE], []),
        (OpType.CREATE, None, [LATE], []),
        # The engine has answered: what has this name is somebody else's.
        (OpType.CREATE, {"name": "acme-lms"}, ["network with name acme-lms already exists"], []),
        (OpType.CREATE, {"name": "a"}, ["Error response from daemon: dial tcp 10.0.0.1: i/o timeout"], []),
        (OpType.CREATE, {"name": "acme-lms"}, [], []),
    ],
)
def test_what_was_asked_for_without_an_answer(
    op: OpType, inputs: Any, reasons: list[str], names: list[str]
) -> None:
    events = RunEvents(tenant="acme", on_progress=lambda progress: None)
    metadata = StepEventMetadata(
        op=op, urn="u", type="t", provider="", new=state(inputs) if inputs is not None else None
    )
    for each in reasons:
        diagnostic = DiagnosticEvent(message=each, color="never", severity="error", urn="u")
        events(EngineEvent(sequence=0, timestamp=0, diagnostic_event=diagnostic))
    events(
        EngineEvent(
            sequence=0,
            timestamp=0,
            res_op_failed_event=ResOpFailedEvent(metadata=metadata, status=0, steps=0),
        )
    )
    assert events.failed == ["u"]
    assert [each.name for each in events.unanswered] == names
