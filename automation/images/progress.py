"""What people see while images are built: one line a step, and on a terminal the last word of each tool."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from automation.images.event import Event, Progress, State
from toolchain import terminal
from toolchain.output import say

WIDTH = 100
# Whoever reads a pipe or a log sees that something goes on.
STILL_SECONDS = 15.0
UNDER_WAY = (State.FETCHING, State.BUILDING)


@contextmanager
def building(*, present: bool = True) -> Iterator[Progress]:
    """A progress display on standard error for `automation.images.build`; without `present` none of what is there already."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        with steps(present=present) as progress:
            yield progress
        return
    busy: dict[str, str] = {}
    with console.status("checking images") as status:

        def live(event: Event) -> None:
            if event.state is State.PRESENT and not present:
                return
            if event.line:
                # What a tool has said; Text, so that no markup of rich's is looked for in it.
                busy[event.role] = terminal.line(event.line[:WIDTH])
            else:
                console.print(Text(terminal.lines(str(event))), soft_wrap=True)
                busy.pop(event.role, None)
            status.update(Text("  ".join(f"{role}: {line}" for role, line in busy.items())[: 2 * WIDTH]))

        yield live


@contextmanager
def steps(*, present: bool, every: float = STILL_SECONDS) -> Iterator[Progress]:
    """One line a step, and what is still under way each `every` seconds."""
    begun: dict[str, tuple[State, float]] = {}
    ended = threading.Event()

    def step(event: Event) -> None:
        if event.line:
            return
        if event.state in UNDER_WAY:
            # From the first step of it: a role is fetched, then built.
            begun[event.role] = (event.state, begun.get(event.role, (event.state, time.monotonic()))[1])
        else:
            begun.pop(event.role, None)
        if event.state is not State.PRESENT or present:
            say(str(event))

    def remind() -> None:
        while not ended.wait(every):
            for role, (state, since) in list(begun.items()):
                say(f"{role}: still {state} ({time.monotonic() - since:.0f} s)")

    thread = threading.Thread(target=remind, daemon=True)
    thread.start()
    try:
        yield step
    finally:
        ended.set()
        thread.join()
