"""What differs between the inputs a resource was made with and those it should have."""

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass

from plugins.schema import Change, Kind, Property, Type, join
from plugins.values import UNKNOWN, Plain


class Step(enum.Enum):
    """How a path of the inputs differs."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


@dataclass(frozen=True)
class Difference:
    """One path that differs, the property it belongs to, and whether it asks for a replacement."""

    path: str
    property: str
    step: Step
    replace: bool


def compare(resource: Type, old: Mapping[str, Plain], new: Mapping[str, Plain]) -> list[Difference]:
    """Return every difference; none where both mean the same, defaults and unordered lists considered."""
    differences: list[Difference] = []
    for known in resource.properties:
        before = meaning(known, old.get(known.name))
        after = meaning(known, new.get(known.name))
        differences += [
            Difference(path, known.name, step, _change(known, after) is Change.REPLACE)
            for path, step in _paths(known, before, after, known.name)
        ]
    return differences


def _change(known: Property, after: Plain) -> Change:
    is_removed = known.removal is not None and after == known.default
    return known.removal if is_removed and known.removal else known.change


def meaning(known: Property, data: Plain) -> Plain:
    """Return `data` with defaults filled in, empty things as None and unordered lists in order."""
    if data is UNKNOWN:
        return data
    if data is None:
        return known.default
    if known.kind is Kind.OBJECT and isinstance(data, Mapping):
        held = {each.name: meaning(each, data.get(each.name)) for each in known.fields}
        return {name: each for name, each in held.items() if each is not None} or None
    if known.kind is Kind.LIST and isinstance(data, list) and known.items is not None:
        element = known.items
        held_items = [meaning(element, each) for each in data]
        return (sorted(held_items, key=_order) if known.unordered else held_items) or None
    if known.kind is Kind.MAP:
        return data or None
    return data


def _order(data: Plain) -> str:
    return json.dumps(data, sort_keys=True, default=repr)


def _paths(known: Property, before: Plain, after: Plain, path: str) -> list[tuple[str, Step]]:
    if after is UNKNOWN:
        return [(path, Step.ADD if before is None else Step.UPDATE)]
    if before == after:
        return []
    if before is None:
        return [(path, Step.ADD)]
    if after is None:
        return [(path, Step.DELETE)]
    if known.kind is Kind.OBJECT and isinstance(before, Mapping) and isinstance(after, Mapping):
        return [
            each
            for inner in known.fields
            for each in _paths(inner, before.get(inner.name), after.get(inner.name), join(path, inner.name))
        ]
    if known.kind is Kind.MAP and isinstance(before, Mapping) and isinstance(after, Mapping):
        text = Property(name="", kind=Kind.STRING)
        return [
            each
            for key in sorted({*before, *after})
            for each in _paths(text, before.get(key), after.get(key), join(path, key))
        ]
    if known.kind is Kind.LIST and known.items is not None and not known.whole:
        longest = max(len(before), len(after))
        pairs = zip(_padded(before, longest), _padded(after, longest), strict=True)
        return [
            each
            for index, (one, other) in enumerate(pairs)
            for each in _paths(known.items, one, other, f"{path}[{index}]")
        ]
    return [(path, Step.UPDATE)]


def _padded(data: list[Plain], length: int) -> list[Plain]:
    return data + [None] * (length - len(data))
