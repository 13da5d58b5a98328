"""What a run has done, held against what its preview promised: no difference passes in silence.

Which kinds of change are compared, and what the plugins are known to get wrong, is told in docs/deviations.md.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from automation.runs.plan import SECRET, Change, Plan
from automation.runs.unknown import UNKNOWN


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """One thing that came out other than promised. `kind` is of KINDS; `path` is a property's where it is about one."""

    urn: str
    kind: str
    path: str = ""
    promised: str = ""
    happened: str = ""

    @property
    def name(self) -> str:
        """The resource's own name."""
        return self.urn.split("::")[-1]

    def __str__(self) -> str:
        text = KINDS[self.kind].format(
            promised=self.promised or "nothing", happened=self.happened or "nothing"
        )
        return f"{self.name}{' ' + self.path if self.path else ''}: {text}"

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "text": str(self)}


KINDS = {
    "not-done": "the preview promised {promised}, but it did not happen",
    "failed": "the preview promised {promised}, but it failed",
    "not-promised": "{happened}, which the preview did not show",
    "other": "the preview promised {promised}, but {happened} happened",
    "property": "the preview promised {promised}, but {happened} was sent",
    "engine": "expected {promised}, but the engine has {happened}",
}


def compare(plan: Plan, happened: tuple[Change, ...], failed: tuple[str, ...] = ()) -> tuple[Deviation, ...]:
    """Every difference between a plan and what was done, by the resource's name."""
    promised = {each.urn: each for each in plan.changes}
    done = {each.urn: each for each in happened}
    deviations = [
        one
        for urn in {**promised, **done}
        for one in of_resource(urn, promised.get(urn), done.get(urn), failed)
    ]
    return tuple(sorted(deviations, key=lambda each: (each.name, each.urn, each.path)))


def of_resource(
    urn: str, promised: Change | None, done: Change | None, failed: tuple[str, ...]
) -> Iterator[Deviation]:
    """One resource's differences."""
    if urn in failed:
        yield Deviation(urn=urn, kind="failed", promised=promised.op if promised else "")
    elif promised is None and done is not None:
        yield Deviation(urn=urn, kind="not-promised", happened=done.op)
    elif promised is not None and done is None:
        yield Deviation(urn=urn, kind="not-done", promised=promised.op)
    elif promised is not None and done is not None:
        if promised.op != done.op:
            yield Deviation(urn=urn, kind="other", promised=promised.op, happened=done.op)
        yield from of_properties(urn, promised, done)


def of_properties(urn: str, promised: Change, done: Change) -> Iterator[Deviation]:
    """The inputs that came out other than promised; what a preview could not know is no promise."""
    for key in sorted({*promised.after, *done.after}):
        one, other = promised.after.get(key), done.after.get(key)
        if not keeps_promise(one, other):
            yield Deviation(
                urn=urn, kind="property", path=key, promised=shortened(one), happened=shortened(other)
            )


def keeps_promise(promised: Any, done: Any) -> bool:
    """Whether a value is as promised, as far as it was promised."""
    if isinstance(promised, str) and promised in UNKNOWN:
        return True
    # Whether an unknown or a secret comes first depends on the moment of looking.
    if SECRET in (promised, done):
        return True
    if isinstance(promised, dict) and isinstance(done, dict):
        return all(keeps_promise(promised.get(key), done.get(key)) for key in {*promised, *done})
    if isinstance(promised, list) and isinstance(done, list):
        return len(promised) == len(done) and all(map(keeps_promise, promised, done))
    return bool(promised == done)


def shortened(value: Any, most: int = 80) -> str:
    """A value in a sentence."""
    text = repr(value)
    return text if len(text) <= most else text[: most - 1] + "…"
