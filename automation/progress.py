"""What people see while images are built: one line a step, and on a terminal the last word of each tool."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from automation.images.event import Event, Progress
from toolchain import terminal
from toolchain.output import say

WIDTH = 100


@contextmanager
def building() -> Iterator[Progress]:
    """A progress display on standard error for `automation.images.build`."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:

        def steps(event: Event) -> None:
            if not event.line:
                say(str(event))

        yield steps
        return
    busy: dict[str, str] = {}
    with console.status("looking at the images") as status:

        def live(event: Event) -> None:
            if event.line:
                # What a tool has said; Text, so that no markup of rich's is looked for in it.
                busy[event.role] = terminal.line(event.line[:WIDTH])
            else:
                console.print(Text(terminal.lines(str(event))), soft_wrap=True)
                busy.pop(event.role, None)
            status.update(Text("  ".join(f"{role}: {line}" for role, line in busy.items())[: 2 * WIDTH]))

        yield live
