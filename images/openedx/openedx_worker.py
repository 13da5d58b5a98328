"""The module that Celery loads: edx-platform's application of this variant, with readiness and a sign of life.

For the Celery of each release's image, of which the oldest is 3.1, and its Python, 3.5.
"""

import os
from importlib import import_module
from typing import Any

from celery.bootsteps import StartStopStep
from celery.signals import worker_ready

# The probe checks the age of this file.
SIGN = "/tmp/worker-alive"  # noqa: S108
EVERY_SECONDS = 5.0


class Alive(StartStopStep):
    """Touches a file regularly while the consumer is connected to the broker."""

    requires = ("celery.worker.consumer:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        self.timer = None  # type: Any

    def start(self, consumer: Any) -> None:
        """Called when the worker begins to accept tasks."""

        def touch() -> None:
            if consumer.connection and consumer.connection.connected:
                with open(SIGN, "a"):
                    os.utime(SIGN)

        touch()
        self.timer = consumer.timer.call_repeatedly(EVERY_SECONDS, touch)

    def stop(self, consumer: Any) -> None:
        """Called when the broker is lost, or the worker ends."""
        if self.timer:
            self.timer.cancel()
            self.timer = None


def report_ready(**_: Any) -> None:
    """Tell the supervisor that this generation accepts tasks, so that it terminates the one before."""
    descriptor = os.environ.pop("OPENEDX_READY_FD", "")
    if descriptor:
        os.write(int(descriptor), b"1")
        os.close(int(descriptor))


def load() -> Any:
    """The application. The option set here has different names on the command lines of Celery's versions."""
    import celery

    made = import_module(os.environ["SERVICE_VARIANT"] + ".celery").APP
    name = "worker_max_tasks_per_child" if celery.VERSION >= (4,) else "CELERYD_MAX_TASKS_PER_CHILD"
    setattr(made.conf, name, int(os.environ.get("OPENEDX_TASKS_PER_CHILD") or 100))
    made.steps["consumer"].add(Alive)
    worker_ready.connect(report_ready)
    return made


app = load()
