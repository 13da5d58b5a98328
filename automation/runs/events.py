"""What a run of Pulumi tells while it runs: progress for people, steps for the plan, reasons for a failure."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pulumi.automation import OpType, events

from automation.runs.plan import QUIET, is_managed
from automation.runs.unanswered import Request, request

# Steps that people wait for; a look at what is there is none.
DONE = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "create-replacement": "replaced",
    "import": "imported",
}
CREATES = (OpType.CREATE, OpType.CREATE_REPLACEMENT)
# What the engine adds below the real reason.
SUMMARIES = ("update failed", "preview failed", "destroy failed")
# What the engine and plugins put before a reason that they also tell without it.
LEADS = re.compile(r"^(?:an unhandled error occurred:|1 error occurred:\s*\*)\s*")
# How a plugin, ours or the official one, says that no answer came: the engine may have done what it was asked for all the same.
NO_ANSWER = re.compile(
    r"cannot reach the Docker engine|Cannot connect to the Docker daemon|error during connect|deadline exceeded"
    r"|\bEOF\b|connection reset|broken pipe|i/o timeout|Client\.Timeout|request canceled"
)
# Before what the engine itself has said, by the official plugin.
ANSWERED = "Error response from daemon"
COLOURS = re.compile(r"<\{%.*?%\}>|\x1b\[[0-9;]*m")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Something that a run has done; `name` and `type` are a resource's, `seconds` how long it took."""

    tenant: str
    what: str
    name: str = ""
    type: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        kind = self.type.split(":")[-1].lower()
        took = f" ({self.seconds:.1f} s)" if self.seconds >= 0.05 else ""
        return f"{self.tenant}: {self.what} {kind} {self.name}{took}"


OnProgress = Callable[[Progress], None]


@dataclass
class RunEvents:
    """What a run has told: its resource events, what each of them left, and why it failed."""

    tenant: str
    on_progress: OnProgress
    steps: list[Any] = field(default_factory=list)
    done: list[Any] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    # By URN: each resource whose creation failed, and what was said of it.
    not_created: dict[str, Request] = field(default_factory=dict)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    bookkeeping: bool = False
    unchanged: int = 0
    began: dict[str, float] = field(default_factory=dict)

    def __call__(self, event: events.EngineEvent) -> None:
        if event.resource_pre_event:
            self._on_start(event.resource_pre_event.metadata, time.monotonic())
        elif event.res_outputs_event:
            self._on_end(event.res_outputs_event.metadata, time.monotonic())
        elif event.res_op_failed_event:
            self._on_failure(event.res_op_failed_event.metadata)
        elif event.diagnostic_event:
            self._on_diagnostic(event.diagnostic_event)
        elif event.summary_event:
            self.unchanged = int(event.summary_event.resource_changes.get(OpType.SAME, 0))

    def _on_start(self, metadata: Any, when: float) -> None:
        self.steps.append(metadata)
        self.began[metadata.urn] = when

    def _on_end(self, metadata: Any, when: float) -> None:
        self.done.append(metadata)
        op = str(metadata.op.value)
        if not is_managed(metadata):
            self.bookkeeping |= op not in QUIET or outputs_of(metadata.old) != outputs_of(metadata.new)
        elif op in DONE:
            self.on_progress(
                Progress(
                    tenant=self.tenant,
                    what=DONE[op],
                    name=metadata.urn.split("::")[-1],
                    type=metadata.type,
                    seconds=when - self.began.get(metadata.urn, when),
                )
            )

    def _on_failure(self, metadata: Any) -> None:
        self.failed.append(metadata.urn)
        made = request(metadata.type, (metadata.new.inputs if metadata.new else None) or {})
        if metadata.op in CREATES and made:
            self.not_created[metadata.urn] = made

    def _on_diagnostic(self, event: Any) -> None:
        if event.severity == "error":
            message = without_markup(event.message)
            self.errors.append(message)
            self.reasons.setdefault(event.urn or "", []).append(message)

    @property
    def unanswered(self) -> tuple[Request, ...]:
        """Each creation that failed because no answer came.

        What the engine has refused it has not made: of that name there is somebody else's.
        """
        return tuple(
            what
            for urn, what in self.not_created.items()
            if any(is_no_answer(each) for each in self.reasons.get(urn, ()))
        )

    @property
    def failure_text(self) -> str:
        """The engine's own reasons, each once, the summary of a failure only where nothing else is told."""
        errors = [each for each in dict.fromkeys(self.errors) if each]
        reasons = [each for each in errors if each not in SUMMARIES]
        return "\n".join(reasons or errors)


def outputs_of(state: Any) -> Any:
    """What a component or the stack keeps for others."""
    return (state.outputs if state else None) or {}


def is_no_answer(reason: str) -> bool:
    """Whether a creation's failure leaves open whether the engine has made it."""
    return ANSWERED not in reason and NO_ANSWER.search(reason) is not None


def without_markup(message: str) -> str:
    """A diagnostic without colours, blank ends, and words that only say that it is one."""
    return LEADS.sub("", COLOURS.sub("", message).strip())
