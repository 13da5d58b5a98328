"""What a run's diagnostics become: each reason once, in its own words."""

import pytest
from pulumi.automation.events import DiagnosticEvent, EngineEvent

from automation.runs.events import RunEvents


def reason(*messages: str) -> str:
    heard = RunEvents(tenant="acme", on_progress=lambda progress: None)
    for number, each in enumerate(messages):
        told = DiagnosticEvent(message=each, color="never", severity="error")
        heard(EngineEvent(sequence=number, timestamp=0, diagnostic_event=told))
    return heard.reason


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
