"""Records the resources that the program registers, so that tests assert on data and never on Outputs."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

from config.portal.resource_types import CONTAINER, PASSWORD

STATE = "pulumi:pulumi:readStackResourceOutputs"


class Echo(Mocks):
    """A provider that gives every resource an id, and its own inputs back as outputs."""

    def __init__(self, exit_codes: dict[str, int] | None = None) -> None:
        self.exit_codes = exit_codes or {}
        self.state: dict[str, Any] = {}

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outputs = {
            **args.inputs,
            "exitCode": self.exit_codes.get(args.name, 0),
            "containerLogs": f"log of {args.name}",
        }
        if args.typ == PASSWORD:
            outputs["result"] = f"generated-{args.name}"
        return f"{args.name}-id", outputs

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[Any]]:
        return ({"outputs": self.state} if args.token == STATE else {}), []


@dataclass(frozen=True)
class Planned:
    """One resource as it was registered."""

    type: str
    name: str
    parent: str
    inputs: dict[str, Any]
    options: Any

    @property
    def after(self) -> list[str]:
        """What it waits for by an explicit `depends_on` or by a value of another resource."""
        return sorted({urn.split("::")[-1] for urn in self.options.dependencies})


class Recorder(MockMonitor):
    """A resource monitor that keeps every registered resource."""

    def __init__(self, exit_codes: dict[str, int] | None = None) -> None:
        self.echo = Echo(exit_codes)
        super().__init__(self.echo)
        self.plan: list[Planned] = []
        self.finished: list[str] = []
        self.urns: list[str] = []

    def RegisterResource(self, request: Any) -> Any:
        # Pulumi calls this in threads, and leaves each with an event loop that nobody closes.
        with event_loop():
            reply = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != "pulumi:pulumi:Stack":
            parent = request.parent.split("::")[-1]
            inputs = dict(self.resources[reply.urn].state)
            self.plan.append(Planned(request.type, request.name, parent, inputs, request))
            self.urns.append(reply.urn)
        return reply

    def Invoke(self, request: Any) -> Any:
        with event_loop():
            return super().Invoke(request)  # type: ignore[no-untyped-call]

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self.finished.append(request.urn.split("::")[-1])
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]

    def containers(self) -> list[Planned]:
        """The containers, by name."""
        return sorted((each for each in self.plan if each.type == CONTAINER), key=lambda each: each.name)


@contextmanager
def event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop for this thread alone, closed at the end with all that is left in it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield loop
    except Exception:
        # One failure fails every output that hangs on it; the test hears of the first.
        loop.set_exception_handler(lambda loop, context: None)
        raise
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        asyncio.set_event_loop(None)


def record(
    program: Callable[[], object],
    stack: str = "acme",
    state: dict[str, Any] | None = None,
    exit_codes: Mapping[str, int] | None = None,
) -> Recorder:
    """Run `program` against a recorder whose stack has this state; raises what the program raises."""
    recorder = Recorder({name.replace("_", "-"): code for name, code in (exit_codes or {}).items()})
    recorder.echo.state = state or {}

    def run() -> None:
        with event_loop():
            pulumi.runtime.set_mocks(recorder.mocks, project="portals", stack=stack, monitor=recorder)
            # Without `test`, a failing `apply` passes in silence.
            pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]

    # In a thread of its own: a browser's test may have left the main one with a loop that runs.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(run).result()
    return recorder
