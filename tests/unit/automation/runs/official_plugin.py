"""Changes as a run's events tell them, with what the official plugin adds for itself."""

from typing import Any

from pulumi.automation.events import StepEventMetadata

from automation.runs.plan import Change, changes


def as_the_official_plugin(value: Any) -> Any:
    """Inputs as pulumi-docker 5.1.0 hands them on: `__defaults` in every object, the plugin's own word.

    The recordings are without it; `capabilities: {'__defaults': [], 'drops': ['ALL']}` was seen in a run.
    """
    if isinstance(value, dict):
        return {"__defaults": [], **{key: as_the_official_plugin(each) for key, each in value.items()}}
    return [as_the_official_plugin(each) for each in value] if isinstance(value, list) else value


def recorded_change(
    kind: str, before: dict[str, Any] | None, after: dict[str, Any] | None, **more: Any
) -> Change:
    """The change that a run's event tells."""
    urn = f"urn:pulumi:acme::portals::p${kind}::one"

    def side(inputs: dict[str, Any] | None) -> dict[str, Any] | None:
        resource = {"type": kind, "urn": urn, "id": "1", "parent": "", "provider": "", "custom": True}
        return (
            None if inputs is None else {**resource, "inputs": inputs, "outputs": {"__meta": "{}", **inputs}}
        )

    event = {"op": "replace", "urn": urn, "type": kind, "provider": "", **more}
    (change,) = changes([StepEventMetadata.from_json({**event, "old": side(before), "new": side(after)})])
    return change
