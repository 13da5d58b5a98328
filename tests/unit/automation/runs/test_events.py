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
    heard = RunEvents(tenant="acme", on_progress=lambda progress: None)
    for number, each in enumerate(messages):
        told = DiagnosticEvent(message=each, color="never", severity="error")
        heard(EngineEvent(sequence=number, timestamp=0, diagnostic_event=told))
    return heard.failure_text


@pytest.mark.parametrize(
    ("messages", "told"),
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
def test_each_reason_is_told_once(messages: list[str], told: str) -> None:
    assert reason(*messages) == told


def state(inputs: dict[str, Any]) -> StepEventStateMetadata:
    return StepEventStateMetadata(
        type="t", urn="u", id="", parent="", provider="", inputs=inputs, outputs={}, custom=True, delete=False
    )


@pytest.mark.parametrize(
    ("op", "inputs", "names"),
    [
        (OpType.CREATE, {"name": "acme-lms"}, [("t", "acme-lms")]),
        (OpType.CREATE_REPLACEMENT, {"name": "acme-lms"}, [("t", "acme-lms")]),
        (OpType.UPDATE, {"name": "acme-lms"}, []),
        (OpType.CREATE, {"name": None}, []),
        (OpType.CREATE, None, []),
    ],
)
def test_what_could_not_be_created(op: OpType, inputs: Any, names: list[tuple[str, str]]) -> None:
    heard = RunEvents(tenant="acme", on_progress=lambda progress: None)
    told = StepEventMetadata(
        op=op, urn="u", type="t", provider="", new=state(inputs) if inputs is not None else None
    )
    heard(
        EngineEvent(
            sequence=0, timestamp=0, res_op_failed_event=ResOpFailedEvent(metadata=told, status=0, steps=0)
        )
    )
    assert (heard.failed, heard.not_created) == (["u"], names)
