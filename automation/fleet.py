"""One command over many tenants: a few worker processes beside each other, one outcome each."""

import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from automation import worker
from automation.outcome import Outcome
from automation.pulumi import ROOT

Say = Callable[[str], None]
# A worker with nothing to do ends at once; one that was cancelled ends what its run has begun.
END_SECONDS = 120.0
LOOK_SECONDS = 0.2


def parallel() -> int:
    """How many workers a machine has room for: one a processor, and each takes some 250 MB."""
    return max(1, min(8, os.cpu_count() or 1))


def over(
    verb: str,
    tenants: Iterable[str],
    *,
    workers: int = 0,
    say: Say = lambda text: None,
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
    cancel: threading.Event | None = None,
    **options: Any,
) -> list[Outcome]:
    """Run `preview`, `removal`, `up`, `destroy`, `status` or `onboard` (with `wish`) on each tenant, `workers` at a time.

    None said (0) is one a processor; `options` are those of the verb's own function.

    Every tenant has an outcome, in the order given, whatever becomes of the others. `say` is told what happens and
    `on_outcome` each end, from several threads. `cancel`, once set, ends what runs and begins nothing more.
    """
    names = list(dict.fromkeys(tenants))
    stop = cancel or threading.Event()
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for name in names:
        waiting.put(name)
    outcomes: dict[str, Outcome] = {}

    def work() -> None:
        while not stop.is_set() and not waiting.empty():
            with hired() as hand:
                for outcome in served(hand, waiting, verb, options, say, stop):
                    outcomes[outcome.tenant] = outcome
                    on_outcome(outcome)

    threads = [threading.Thread(target=work) for _ in range(min(workers or parallel(), len(names)))]
    for each in threads:
        each.start()
    for each in threads:
        joined(each, stop)
    return [outcomes.get(name) or unbegun(name) for name in names]


def joined(thread: threading.Thread, stop: threading.Event) -> None:
    """Wait for a thread. Ctrl-C has the workers end what they have begun; the wait goes on until they have."""
    while thread.is_alive():
        try:
            thread.join()
        except KeyboardInterrupt:
            stop.set()


def unbegun(tenant: str) -> Outcome:
    """Of a tenant whose turn did not come."""
    return Outcome(tenant=tenant, exit_code=130, reason="not begun: the command was cancelled before")


@contextmanager
def hired() -> Iterator[tuple["subprocess.Popen[bytes]", "Connection[Any, Any]"]]:
    """A worker process and the connection to it; it ends with the block."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "automation.worker", str(theirs.fileno())],
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
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def served(
    hand: tuple["subprocess.Popen[bytes]", "Connection[Any, Any]"],
    waiting: "queue.SimpleQueue[str]",
    verb: str,
    options: Mapping[str, Any],
    say: Say,
    stop: threading.Event,
) -> Iterator[Outcome]:
    """Outcomes of one worker, until nothing waits or it has died."""
    process, connection = hand
    while not stop.is_set():
        try:
            tenant = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            connection.send((verb, tenant, options))
            yield answered(connection, say, stop)
        except (EOFError, OSError):
            code = process.wait(END_SECONDS)
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            yield Outcome(tenant=tenant, exit_code=1, reason=f"its worker {how}; run the same command again")
            return


def answered(connection: "Connection[Any, Any]", say: Say, stop: threading.Event) -> Outcome:
    """Wait for one outcome, handing on what is said meanwhile. Raises EOFError when the worker is gone."""
    told = False
    while True:
        if connection.poll(LOOK_SECONDS):
            heard = connection.recv()
            if isinstance(heard, Outcome):
                return heard
            say(str(heard))
        elif stop.is_set() and not told:
            connection.send(worker.CANCEL)
            told = True
