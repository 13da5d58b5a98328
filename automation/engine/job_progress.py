"""What the jobs of a portal are doing while `up` waits for them: the migrations of a new database take a quarter of an hour."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from automation.engine import inventory
from automation.errors import PortalError
from config.tenant.tenant import Tenant
from config.values import names

Say = Callable[[str], None]

EVERY_SECONDS = 15.0
LONGEST_LINE = 120
# How long the thread is waited for at the end: one answer of an engine that is slow, not one that is gone.
END_SECONDS = 5.0
# On two cores, edx-platform of March 2023 took 13 to 40 minutes (docs/images.md).
FIRST_MIGRATIONS = "the migrations of a new Open edX database take 15 to 40 minutes on two cores"


@contextmanager
def reported(tenant: Tenant, say: Say, every: float = EVERY_SECONDS) -> Iterator[None]:
    """Within it, `say` gets a line every `every` seconds for each job that runs: for how long, and the last line of its log.

    An engine that does not answer is no failure here: the run that is reported on fails by itself.
    """
    stop = threading.Event()
    watcher = threading.Thread(target=watch, args=(tenant, say, stop, every), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join(END_SECONDS)


def watch(tenant: Tenant, say: Say, stop: threading.Event, every: float) -> None:
    """Report on the jobs that run until `stop` is set."""
    began: dict[str, float] = {}
    try:
        with inventory.connect(tenant.placement.docker_host) as client:
            while not stop.wait(every):
                for name, line in running_jobs(client, tenant.name).items():
                    if name not in began and tenant.real and name == "edxapp-migrations":
                        say(f"{tenant.name}: {FIRST_MIGRATIONS}")
                    seconds = time.monotonic() - began.setdefault(name, time.monotonic() - every)
                    if not stop.is_set():
                        say(f"{tenant.name}: {name} runs, {duration(seconds)}: {line}")
    except PortalError:
        return


def running_jobs(client: Any, tenant: str) -> dict[str, str]:
    """Each job of a tenant that runs, by its name, with the last line of its log, which may be cut."""
    containers = inventory.containers(client, tenant)
    jobs = [each for each in containers if each.state == "running" and each.service in names.JOBS]
    return {each.service: last_line(client, each.name) for each in jobs}


def last_line(client: Any, container: str) -> str:
    """The last line that a container has logged and that is not blank, cut to LONGEST_LINE letters; empty where there is none."""
    log = client.logs(container, stdout=True, stderr=True, tail=5).decode(errors="replace")
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1][:LONGEST_LINE] if lines else ""


def duration(seconds: float) -> str:
    """Seconds as people say them: `40 s`, `12 min`."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
