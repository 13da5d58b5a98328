"""A worker's sign of life: a file whose age the probe checks without starting Python."""

from pathlib import Path
from typing import Any

from celery.bootsteps import StartStopStep

FILE = Path("/tmp/worker-alive")  # noqa: S108 (a tmpfs of the container)
EVERY = 5.0


class Alive(StartStopStep):
    """Touches a file while the consumer's loop runs on a live connection to the broker."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self.timer: Any = None

    def start(self, consumer: Any) -> None:
        """Touch the file from now on."""

        def touch() -> None:
            if consumer.connection and consumer.connection.connected:
                FILE.touch()

        touch()
        self.timer = consumer.timer.call_repeatedly(EVERY, touch)

    def stop(self, consumer: Any) -> None:
        """Delete the file: the broker is lost, or the worker ends."""
        if self.timer:
            self.timer.cancel()
            self.timer = None
        FILE.unlink(missing_ok=True)
