"""What a run of Pulumi means to do, or did: the engine's events as plain data, one Change a resource."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from preflight.obstacles import Obstacle

# How Pulumi shows a secret in its events: the value itself never leaves the engine.
SECRET = "[secret]"  # noqa: S105 (the word, not a secret)
# Not looked at, or looked at and found the same.
QUIET = frozenset({"same", "read", "refresh", "read-replacement", "read-discard", "discard"})
# A replacement is three steps of the engine; for a reader it is one change.
REPLACEMENT = frozenset({"replace", "create-replacement", "delete-replaced", "discard-replaced"})
# `envs[3]`, `labels[0].value`, `tmpfs["/run/x.y"]`: Pulumi's own way to name a property.
_PART = re.compile(r'\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\.?([^.\[]+)')
MISSING = object()
# What plugins that stand on Pulumi's bridge to Terraform keep for themselves inside inputs and outputs, at any depth:
# https://github.com/pulumi/pulumi-terraform-bridge, pkg/tfbridge/schema.go and pkg/tfbridge/names.go.
# They name no property of anything, so nothing is compared with them and nobody is shown them.
RESERVED = frozenset({"__defaults", "__meta", "__pulumi_raw_state_delta"})


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One property that changes. `kind` is add, update or delete; `replaces` when it forces a replacement.

    `before` and `after` are what state and program say, None where there is none; a secret is SECRET.
    """

    path: str
    kind: str
    replaces: bool
    before: Any
    after: Any


@dataclass(frozen=True, kw_only=True)
class Change:
    """One resource that a run touches. `op` is create, update, replace, delete or import.

    `before` and `after` are its inputs, empty where there is none. `engine` is for a change of how the engine is reached, once
    somebody has asked: `same`, `other` or `unknown` (automation/portals/engine_identity.py).
    """

    urn: str
    op: str
    differences: tuple[Difference, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict, repr=False)
    after: Mapping[str, Any] = field(default_factory=dict, repr=False)
    engine: str = ""

    @property
    def name(self) -> str:
        """The resource's own name, as the program gave it."""
        return self.urn.split("::")[-1]

    @property
    def type(self) -> str:
        """Its type, without those of its parents."""
        return self.urn.split("::")[-2].split("$")[-1]

    @property
    def properties(self) -> tuple[str, ...]:
        """The names of what changes in it, sorted."""
        return tuple(sorted(each.path for each in self.differences))

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "urn": self.urn,
            "name": self.name,
            "type": self.type,
            "op": self.op,
            "properties": list(self.properties),
        }


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that a run means to change in one tenant's stack, in the order of their names.

    `unchanged` counts the resources that stay; `bookkeeping` says whether only the state has something new to keep:
    the stack's outputs, the components that resources hang on. `obstacles` are what the engine would refuse, `notes` what is worth
    knowing besides; `unchecked` says why nobody could ask, empty where somebody did or nothing was to be asked.
    `left` is the directory where the tenant's data is known to be from before, empty where nothing of it is known.
    """

    tenant: str
    changes: tuple[Change, ...]
    unchanged: int = 0
    bookkeeping: bool = False
    obstacles: tuple[Obstacle, ...] = ()
    notes: tuple[str, ...] = ()
    unchecked: str = ""
    left: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing would change."""
        return not self.changes and not self.bookkeeping

    @property
    def summary(self) -> str:
        """The plan in one line."""
        counts = Counter(each.op for each in self.changes)
        counted = ", ".join(f"{number} to {op}" for op, number in sorted(counts.items()))
        return counted or ("only the state's own records change" if self.bookkeeping else "nothing to change")


def parts(path: str) -> tuple[str | int, ...]:
    """A property path as keys and indices."""
    path_parts: list[str | int] = []
    for index, quoted, plain in _PART.findall(path):
        if index:
            path_parts.append(int(index))
        else:
            path_parts.append(re.sub(r"\\(.)", r"\1", quoted) if quoted else plain)
    return tuple(path_parts)


def value_at(value: Any, path: str) -> Any:
    """What stands at a property path; SECRET below a secret, MISSING where there is nothing."""
    for part in parts(path):
        if value == SECRET:
            return SECRET
        has_key = isinstance(value, Mapping) and part in value
        if not has_key and not (isinstance(value, list) and isinstance(part, int) and part < len(value)):
            return MISSING
        value = value[part]
    return value


def none_if_missing(value: Any) -> Any:
    """None for what is not there."""
    return None if value is MISSING else value


def without_reserved(value: Any) -> Any:
    """A value without the keys that a plugin keeps for itself."""
    if isinstance(value, Mapping):
        return {key: without_reserved(each) for key, each in value.items() if key not in RESERVED}
    if isinstance(value, list):
        return [without_reserved(each) for each in value]
    return value


def changes(metadata: Iterable[Any]) -> tuple[Change, ...]:
    """The changes of a run's resource events (their `metadata`), one a resource, by type and name."""
    steps: dict[str, list[Any]] = {}
    for each in metadata:
        if str(each.op.value) not in QUIET and is_managed(each):
            steps.setdefault(each.urn, []).append(each)
    changed = [change(urn, these) for urn, these in steps.items()]
    return tuple(sorted(changed, key=lambda each: (each.type, each.name, each.urn)))


def is_managed(step: Any) -> bool:
    """Whether a plugin makes it: the stack itself and components are names that other resources hang on."""
    return bool((step.new or step.old).custom)


def change(urn: str, steps: list[Any]) -> Change:
    """One resource's steps as one change."""
    ops = {str(each.op.value) for each in steps}
    # The step `replace` alone tells what differs; a deletion that stands by itself has no other.
    telling = max(steps, key=lambda each: (each.op.value == "replace", bool(each.detailed_diff)))
    # One that has an alias is made anew under its new name; under its old one it is deleted, and nothing else.
    moved = ops == {"delete-replaced"}
    replaced = not moved and (bool(ops & REPLACEMENT) or {"create", "delete"} <= ops)
    olds = (each.old.inputs for each in steps if each.old)
    news = (each.new.inputs for each in steps if each.new)
    before, after = (without_reserved(next(filter(None, each), None) or {}) for each in (olds, news))
    return Change(
        urn=urn,
        op="replace" if replaced else "delete" if moved else str(telling.op.value),
        differences=differences(telling, before, after),
        before=before,
        after=after,
    )


def differences(step: Any, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What differs in one step, by path."""
    diff = {path: each for path, each in (step.detailed_diff or {}).items() if not _is_reserved(path)}
    outputs = without_reserved((step.old.outputs if step.old else None) or {})
    if not step.detailed_diff:
        return tuple(
            Difference(
                path=path,
                kind=kind_of(value_at(before, path), value_at(after, path)),
                replaces=path in (step.keys or ()),
                before=none_if_missing(value_at(before, path)),
                after=none_if_missing(value_at(after, path)),
            )
            for path in sorted(step.diffs or ())
            if not _is_reserved(path)
        )
    return tuple(
        Difference(
            path=path,
            kind=str(each.diff_kind.value).removesuffix("-replace"),
            replaces=str(each.diff_kind.value).endswith("-replace"),
            # What a refresh has found is in the state's outputs.
            before=none_if_missing(value_at(before if each.input_diff else {**before, **outputs}, path)),
            after=none_if_missing(value_at(after, path)),
        )
        for path, each in sorted(diff.items())
    )


def _is_reserved(path: str) -> bool:
    return not RESERVED.isdisjoint(parts(path))


def kind_of(before: Any, after: Any) -> str:
    """What becomes of a value."""
    if before is MISSING:
        return "add"
    return "delete" if after is MISSING else "update"
