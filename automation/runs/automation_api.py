"""Pulumi's Automation API for one tenant's stack: previews and runs whose events are data.

The program runs in this process (`__main__.py`, the same as for the plain CLI): no language host has to start, and
none is left behind when a run is killed.
"""

import importlib
import runpy
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pulumi
import pulumi.automation as auto
from pulumi.automation._stack import StackInitMode

from automation.cancellation import Cancel
from automation.errors import Cancelled, Overtaken, UpFailed
from automation.locks.stack_lock import Hold, Say
from automation.runs import plan, plugin_server, read_only, workspaces
from automation.runs.cli_process import Command
from automation.runs.events import OnProgress, Progress, RunEvents
from automation.runs.plan import Change, Plan
from automation.runs.unanswered import Request
from automation.stack import ROOT, refuse_settings


class PulumiWorkspace(auto.LocalWorkspace):
    """A workspace that selects no stack: the operator's own selection stays as it is."""

    def select_stack(self, stack_name: str) -> None:
        """Nothing: each command names its stack."""


class Stack(auto.Stack):
    """A stack whose runs tell by events; what the SDK would ask the CLI for afterwards takes a second a run."""

    def outputs(self) -> Any:
        """None of them: `automation.stack.Stack.outputs` reads them where they are wanted."""
        return {}

    def info(self, show_secrets: bool = True) -> auto.UpdateSummary:
        """That it has ended well: a failed run raises."""
        return auto.UpdateSummary(
            kind="update",
            start_time=datetime.now(UTC),
            message="",
            environment={},
            config={},
            result="succeeded",
            end_time=datetime.now(UTC),
            version=None,
            deployment=None,
            resource_changes=None,
        )


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What a run has really done, and what it could not do (URNs) for which reasons.

    `unanswered` is what the engine was asked to make without an answer.
    """

    tenant: str
    changes: tuple[Change, ...]
    failed: tuple[str, ...] = ()
    unanswered: tuple[Request, ...] = ()
    reason: str = ""


def ignore_progress(progress: Progress) -> None:
    """Takes progress that nobody waits for."""


@dataclass(frozen=True, kw_only=True)
class Runs:
    """The runs of one tenant's stack, in a workspace of their own. Each raises UpFailed with the engine's own reason."""

    tenant: str
    stack: Stack
    cancel: threading.Event
    on_progress: OnProgress = field(default=ignore_progress)
    # Of a backend of its own, where it has one.
    environ: Mapping[str, str] = field(default_factory=dict)

    def preview(self, *, refresh: bool = False, replace: Sequence[str] = ()) -> Plan:
        """What `up` would do, without doing it."""
        run_events = RunEvents(tenant=self.tenant, on_progress=ignore_progress)
        self._run(
            "preview",
            run_events,
            lambda: self.stack.preview(on_event=run_events, refresh=refresh, replace=list(replace)),
            # A refresh asks the engines.
            plugin_server.HARMLESS if refresh else tuple(plugin_server.PLUGINS),
        )
        return self._plan(run_events)

    def up(self, *, refresh: bool = False, replace: Sequence[str] = ()) -> RunResult:
        """Bring the stack to what the program says. The answer says what failed; nothing is raised for that."""
        run_events = RunEvents(tenant=self.tenant, on_progress=self.on_progress)
        return self._result(
            "up",
            run_events,
            lambda: self.stack.up(
                on_event=run_events, refresh=refresh, replace=list(replace), suppress_progress=True
            ),
        )

    def preview_destroy(self) -> Plan:
        """What `destroy` would remove."""
        run_events = RunEvents(tenant=self.tenant, on_progress=ignore_progress)
        self._run(
            "destroy",
            run_events,
            lambda: self.stack.preview_destroy(on_event=run_events),
            tuple(plugin_server.PLUGINS),
        )
        return self._plan(run_events)

    def destroy(self, state: Mapping[str, Any]) -> RunResult:
        """Remove all that the stack has, which is what `state` says."""
        run_events = RunEvents(tenant=self.tenant, on_progress=self.on_progress)
        return self._result(
            "destroy",
            run_events,
            lambda: self.stack.destroy(on_event=run_events, suppress_progress=True),
            plugin_server.plugins_for_destroy(state),
        )

    def _run(
        self,
        verb: str,
        run_events: RunEvents,
        run: Callable[[], object],
        plugins: Sequence[str] = plugin_server.HARMLESS,
    ) -> None:
        # While the CLI starts, this process has nothing else to do.
        threading.Thread(target=importlib.import_module, args=("components.portal",), daemon=True).start()
        workspace = self.stack.workspace
        try:
            with plugin_server.serve_plugins(Path(workspace.pulumi_home or ""), plugins) as env:
                workspace.env_vars = {**env, **self.environ}
                run()
        except auto.ConcurrentUpdateError:
            raise Overtaken(
                f"portal {self.tenant} is being changed by another run, which has taken its stack meanwhile"
            ) from None
        except auto.CommandError as error:
            if self.cancel.is_set():
                raise Cancelled(f"{verb} of {self.tenant} was cancelled; safe to re-run") from None
            raise UpFailed(
                f"{verb} of {self.tenant} failed: {run_events.failure_text or stderr_text(error)}"
            ) from None

    def _plan(self, run_events: RunEvents) -> Plan:
        return Plan(
            tenant=self.tenant,
            changes=plan.changes(run_events.steps),
            unchanged=run_events.unchanged,
            bookkeeping=run_events.bookkeeping,
        )

    def _result(
        self,
        verb: str,
        run_events: RunEvents,
        run: Callable[[], object],
        plugins: Sequence[str] = plugin_server.HARMLESS,
    ) -> RunResult:
        why = ""
        try:
            self._run(verb, run_events, run, plugins)
        except UpFailed as error:
            why = str(error)
        return RunResult(
            tenant=self.tenant,
            changes=plan.changes(run_events.done),
            failed=tuple(run_events.failed),
            unanswered=run_events.unanswered,
            reason=why,
        )


def stderr_text(error: auto.CommandError) -> str:
    """What the CLI said on standard error, where the engine told nothing."""
    text = str(error).partition("stderr:")[2].strip()
    return text.removeprefix("error: ") or "(it said nothing)"


@contextmanager
def locked_runs(
    hold: Hold,
    say: Say,
    *,
    on_progress: OnProgress = ignore_progress,
    cancel: threading.Event | None = None,
) -> Iterator[Runs]:
    """Runs that change a stack that is held. `cancel`, once set, has the run end what it has begun."""
    refuse_settings(hold.stack.name)
    stop = cancel or Cancel()
    with workspaces.claim() as workspace:
        command = Command(stop, say, hold)
        yield new_runs(hold.stack.name, workspace.work, workspace.home, command, on_progress=on_progress)


@contextmanager
def read_only_runs(name: str, cancel: threading.Event | None = None) -> Iterator[Runs]:
    """Runs that only look at a stack: nothing is written to its backend or to the checkout, whatever there is of it.

    A tenant that has no stack is looked at in an empty backend of the look's own.
    """
    with (
        workspaces.claim() as workspace,
        read_only.copied_settings(workspace.read_only, name),
        read_only.backend(name, workspace.read_only) as environ,
    ):
        yield new_runs(
            name, workspace.read_only, workspace.home, Command(cancel or Cancel()), environ=environ
        )


def new_runs(
    name: str,
    work: Path,
    home: Path,
    command: Command,
    *,
    on_progress: OnProgress = ignore_progress,
    environ: Mapping[str, str] = MappingProxyType({}),
) -> Runs:
    """Runs of a stack, which must be there, in folders of their own."""
    workspace = PulumiWorkspace(
        work_dir=str(work), pulumi_home=str(home), program=program, pulumi_command=command
    )
    stack = Stack(name, workspace, StackInitMode.SELECT)
    return Runs(tenant=name, stack=stack, cancel=command.cancel, on_progress=on_progress, environ=environ)


def ignore_log(*words: object, **more: object) -> None:
    """Take a note that nobody reads."""


def program() -> None:
    """The program as the plain CLI runs it, without the SDK's notes for `pulumi --debug`."""
    # Some 350 of them a run, each a call to the engine that is waited for: a sixth of a preview's time.
    pulumi.log.debug = ignore_log
    # What the program would ask the engine for the plain CLI, automation/portals/feasibility.py has asked.
    runpy.run_path(str(ROOT / "__main__.py"), init_globals={"LOOKED": True})
