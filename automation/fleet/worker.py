"""A process that does commands for a fleet, one tenant at a time: `python -m automation.fleet.worker FD`.

A process of its own, because the program of a stack runs in it, and because what kills one tenant's run (memory, a
fault) must not end the others'. It ends when the fleet does, with its run cancelled.
"""

import contextlib
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from automation.cancellation import Cancel
from automation.fleet import outcome
from automation.fleet.outcome import Outcome
from automation.portals import destroy, onboarding, preview, status, tenant_files, up
from toolchain import output

CANCEL = "cancel"


def main(words: list[str]) -> int:
    """Do what comes in, until the other end is closed."""
    output.prepare_streams()
    connection: Connection[Any, Any] = Connection(int(words[0]))
    requests: queue.Queue[tuple[str, str, Mapping[str, Any]] | None] = queue.Queue()
    cancel = Cancel()
    threading.Thread(target=listen, args=(connection, requests, cancel), daemon=True).start()
    while (request := requests.get()) is not None:
        verb, tenant, options = request
        send(connection, run_verb(verb, tenant, options, partial(send_progress, connection, tenant), cancel))
    return 0


def send(connection: "Connection[Any, Any]", what: Any) -> None:
    """Send; a fleet that was killed hears nothing any more, and its run is being cancelled (see `listen`)."""
    with contextlib.suppress(OSError):
        connection.send(what)


def send_progress(connection: "Connection[Any, Any]", tenant: str, text: str) -> None:
    """Send progress, which says whose it is."""
    send(connection, text if text.startswith(f"{tenant}: ") else f"{tenant}: {text}")


def listen(connection: "Connection[Any, Any]", requests: "queue.Queue[Any]", cancel: Cancel) -> None:
    """Hand on what comes in; a fleet that is gone, or says so, has the run cancelled, and ended at once if it says so twice."""
    try:
        while True:
            message = connection.recv()
            if message == CANCEL:
                cancel.request()
            else:
                requests.put(message)
    except (EOFError, OSError):
        cancel.set()
        requests.put(None)


def run_verb(
    verb: str, tenant: str, options: Mapping[str, Any], say: Callable[[str], None], cancel: threading.Event
) -> Outcome:
    """One command on one tenant."""
    commands: Mapping[str, Callable[[], Any]] = {
        "onboard": lambda: onboarding.onboard(say=say, cancel=cancel, **options),
        "preview": lambda: preview.preview(tenant_files.load(tenant), cancel=cancel, say=say, **options),
        "up": lambda: up.up(tenant_files.load(tenant), say, cancel=cancel, **options),
        "destroy": lambda: {
            "directory": destroy.destroy(tenant_files.load(tenant), say, cancel=cancel, **options)
        },
        "removal": lambda: destroy.removal_plan(tenant, cancel=cancel, **options),
        "status": lambda: status.status(tenant_files.load(tenant), **options),
    }
    return outcome.outcome_of(tenant, commands[verb])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
