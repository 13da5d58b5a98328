"""How a command is told to end: once, and it ends what it has begun; twice, and it ends at once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

# A closed terminal, Ctrl-C, and whoever ends a service or a CI job.
SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class Cancel(threading.Event):
    """Set once what has begun is to be ended and no more begun; `at_once` when not even that is to be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.at_once = threading.Event()

    def request(self) -> None:
        """Ask, or ask for the second time."""
        (self.at_once if self.is_set() else self).set()


def at_once_event(cancel: threading.Event) -> threading.Event:
    """What is set when a cancelled command is to end at once; nothing sets it with a script's own plain event."""
    return cancel.at_once if isinstance(cancel, Cancel) else threading.Event()


@contextmanager
def cancel_on_signals(cancel: threading.Event, now: threading.Event) -> Iterator[None]:
    """In the main thread, have a first signal set `cancel` and a second one `now`, instead of ending this process there."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            # `nohup` has a closed terminal mean nothing.
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(
                    number, lambda *_: now.set() if cancel.is_set() else cancel.set()
                )
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """What Ctrl-C does by itself, for other signals: blocks are left in order, nothing of theirs stays."""
    raise KeyboardInterrupt


def interrupt_on_termination() -> None:
    """Have SIGTERM and SIGHUP end this process as Ctrl-C does."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)
