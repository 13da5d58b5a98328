"""What Celery loads: edx-platform's application of this variant, which says when it takes tasks and that it still does.

For the Celery of each release's image, of which the oldest is 3.1, and its Python, 3.5.
"""

import os
from importlib import import_module

from celery.bootsteps import StartStopStep
from celery.signals import worker_ready

# In memory of the container: the probe asks for its age (probe).
SIGN = "/tmp/worker-alive"  # noqa: S108
EVERY_SECONDS = 5.0


class Alive(StartStopStep):
    """Touches a file while the consumer has a connection to the broker; there is none where it waits for one."""

    requires = ("celery.worker.consumer:Tasks",)

    def __init__(self, consumer, **kwargs):
        self.timer = None

    def start(self, consumer):
        """Tasks are taken from now on."""

        def touch():
            if consumer.connection and consumer.connection.connected:
                with open(SIGN, "a"):
                    os.utime(SIGN)

        touch()
        self.timer = consumer.timer.call_repeatedly(EVERY_SECONDS, touch)

    def stop(self, consumer):
        """The broker is away, or the worker ends."""
        if self.timer:
            self.timer.cancel()
            self.timer = None


def tell(**_):
    """Whoever started us may now end the one before us, which finishes its tasks."""
    told = os.environ.pop("OPENEDX_READY_FD", "")
    if told:
        os.write(int(told), b"1")
        os.close(int(told))


def load():
    """The application; what is set here has another name on the command line of each Celery."""
    import celery

    made = import_module(os.environ["SERVICE_VARIANT"] + ".celery").APP
    name = "worker_max_tasks_per_child" if celery.VERSION >= (4,) else "CELERYD_MAX_TASKS_PER_CHILD"
    setattr(made.conf, name, int(os.environ.get("OPENEDX_TASKS_PER_CHILD") or 100))
    made.steps["consumer"].add(Alive)
    worker_ready.connect(tell)
    return made


app = load()
