"""A worker's sign of life, for a probe that starts no Python."""

from pathlib import Path

from celery.bootsteps import StartStopStep

FILE = Path("/tmp/worker-alive")  # noqa: S108 (a tmpfs of the container)
EVERY = 5.0


class Alive(StartStopStep):
    """Touches a file while the consumer's loop runs on a live connection to the broker."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer, **kwargs):
        super().__init__(consumer, **kwargs)
        self.timer = None

    def start(self, consumer):
        def touch():
            if consumer.connection and consumer.connection.connected:
                FILE.touch()

        touch()
        self.timer = consumer.timer.call_repeatedly(EVERY, touch)

    def stop(self, consumer):
        if self.timer:
            self.timer.cancel()
            self.timer = None
        FILE.unlink(missing_ok=True)
