"""Makes a worker react to SIGTERM at once."""

import signal
import socket
from typing import Any

from celery.bootsteps import StartStopStep


class Prompt(StartStopStep):
    """Wakes the consumer's loop at a signal.

    Python resumes an interrupted poll (PEP 475), so an idle worker would notice a signal only at its next timer, up to
    five seconds later.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self.reader, self.writer = socket.socketpair()
        for each in (self.reader, self.writer):
            each.setblocking(False)

    def start(self, consumer: Any) -> None:
        """Wake the loop at signals from now on."""
        signal.set_wakeup_fd(self.writer.fileno(), warn_on_full_buffer=False)
        # The bytes only wake the loop, which then checks for the signal itself.
        consumer.hub.add_reader(self.reader, self.reader.recv, 4096)
