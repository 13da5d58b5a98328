"""One command over many tenants: a few worker processes beside each other, one outcome each."""

import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from automation.cancellation import Cancel, at_once_event
from automation.fleet import worker
from automation.fleet.outcome import Outcome
from automation.portals.onboarding_request import OnboardingRequest
from automation.stack import ROOT

Say = Callable[[str], None]
# A worker with nothing to do ends at once; one that was cancelled ends what its run has begun.
END_SECONDS = 120.0
# One that is to end at once has a CLI to end before.
NOW_SECONDS = 10.0
LOOK_SECONDS = 0.2


def parallel() -> int:
    """How many workers a machine has room for: one a processor, and each takes some 250 MB."""
    return max(1, min(8, os.cpu_count() or 1))


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a worker is asked to do to one tenant."""

    tenant: str
    options: Mapping[str, Any]


def task_of(each: str | OnboardingRequest, options: Mapping[str, Any]) -> Task:
    """A tenant by its name, or one that is asked for."""
    if isinstance(each, str):
        return Task(tenant=each, options=options)
    return Task(tenant=each.name, options={"request": each, **options})


def for_each_tenant(
    verb: str,
    tenants: Iterable[str | OnboardingRequest],
    *,
    workers: int = 0,
    say: Say = lambda text: None,
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
    cancel: threading.Event | None = None,
    **options: Any,
) -> list[Outcome]:
    """Run `preview`, `removal`, `up`, `destroy`, `status` or `onboard` on each tenant, `workers` at a time.

    `onboard` wants an OnboardingRequest each, all others take names. No number of workers (0) is one a processor; `options` are those of
    the verb's own function.

    Every tenant has an outcome, in the order given, whatever becomes of the others. `say` is told what happens and
    `on_outcome` each end, from several threads. `cancel`, once set, ends what runs and begins nothing more.
    """
    tasks = {task.tenant: task for task in (task_of(each, options) for each in tenants)}
    names = list(tasks)
    stop = cancel or Cancel()
    waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
    for each in tasks.values():
        waiting.put(each)
    outcomes: dict[str, Outcome] = {}

    def work() -> None:
        while not stop.is_set() and not waiting.empty():
            with worker_process(at_once_event(stop)) as hand:
                for outcome in run_tasks(hand, waiting, verb, say, stop):
                    outcomes[outcome.tenant] = outcome
                    on_outcome(outcome)

    threads = [threading.Thread(target=work) for _ in range(min(workers or parallel(), len(names)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        join(thread, stop, say)
    return [outcomes.get(name) or not_started(name) for name in names]


def join(thread: threading.Thread, stop: threading.Event, say: Say) -> None:
    """Wait for a thread. Ctrl-C has the workers end what they have begun, a second one has them end at once."""
    while thread.is_alive():
        try:
            thread.join()
        except KeyboardInterrupt:
            if not stop.is_set():
                say(
                    "cancelling: ending the runs that have begun, beginning no more; press Ctrl-C once more to end at once"
                )
            (at_once_event(stop) if stop.is_set() else stop).set()


def not_started(tenant: str) -> Outcome:
    """Of a tenant whose turn did not come."""
    return Outcome(tenant=tenant, exit_code=130, reason="not begun: the command was cancelled")


@contextmanager
def worker_process(
    now: threading.Event,
) -> Iterator[tuple["subprocess.Popen[bytes]", "Connection[Any, Any]"]]:
    """A worker process and the connection to it; it ends with the block, soon once `now` is set."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "automation.fleet.worker", str(theirs.fileno())],
            cwd=ROOT,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            # Ctrl-C reaches the fleet alone, which cancels each run once.
            process_group=0,
        )
        theirs.close()
        connection: Connection[Any, Any] = Connection(ours.detach())
        try:
            yield process, connection
        finally:
            connection.close()
            try:
                process.wait(NOW_SECONDS if now.is_set() else END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def run_tasks(
    hand: tuple["subprocess.Popen[bytes]", "Connection[Any, Any]"],
    waiting: "queue.SimpleQueue[Task]",
    verb: str,
    say: Say,
    stop: threading.Event,
) -> Iterator[Outcome]:
    """Outcomes of one worker, until nothing waits or it has died."""
    process, connection = hand
    while not stop.is_set():
        try:
            task = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            connection.send((verb, task.tenant, task.options))
            yield receive_outcome(connection, say, stop)
        except (EOFError, OSError):
            if at_once_event(stop).is_set():
                process.kill()
            code = process.wait(END_SECONDS)
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            yield Outcome(
                tenant=task.tenant, exit_code=1, reason=f"its worker {how}; run the same command again"
            )
            return


def receive_outcome(connection: "Connection[Any, Any]", say: Say, stop: threading.Event) -> Outcome:
    """Wait for one outcome, handing on what is said meanwhile. Raises EOFError when the worker is gone or not waited for."""
    # What is still to be said to the worker, in this order.
    handles, now = [stop, at_once_event(stop)], at_once_event(stop)
    end = None
    while True:
        if connection.poll(LOOK_SECONDS):
            message = connection.recv()
            if isinstance(message, Outcome):
                return message
            say(str(message))
        elif handles and handles[0].is_set():
            handles.pop(0)
            connection.send(worker.CANCEL)
        elif now.is_set():
            end = end or time.monotonic() + NOW_SECONDS
            if time.monotonic() > end:
                raise EOFError
