"""A worker that heeds SIGTERM at once."""

import signal
import socket

from celery.bootsteps import StartStopStep


class Prompt(StartStopStep):
    """Wakes the consumer's loop when a signal comes.

    Python goes on with an interrupted poll (PEP 475), so that a worker with nothing to do would only hear that it is to
    end when its next timer fires, up to five seconds later.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer, **kwargs):
        super().__init__(consumer, **kwargs)
        self.heard, self.told = socket.socketpair()
        for each in (self.heard, self.told):
            each.setblocking(False)

    def start(self, consumer):
        signal.set_wakeup_fd(self.told.fileno(), warn_on_full_buffer=False)
        # The loop asks by itself what it was told; the bytes have done their part.
        consumer.hub.add_reader(self.heard, self.heard.recv, 4096)
