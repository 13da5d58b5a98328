"""Threads for calls that wait for the engine, and that nobody waits for at the end of the process."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class Threads(Executor):
    """A thread a call, `most` of them at once. Unlike a ThreadPoolExecutor's, no interpreter waits for them when it ends.

    A stop waits as long as its grace, a day for a group of workers; where the provider is served by the command itself, an
    interrupted command would end no sooner. The engine goes on with a stop that nobody waits for.
    """

    def __init__(self, most: int) -> None:
        self._free = threading.BoundedSemaphore(most)

    def submit(self, work: Callable[..., Any], /, *words: Any, **more: Any) -> "Future[Any]":
        """Begin a call as soon as there is a thread for it."""
        future: Future[Any] = Future()

        def run() -> None:
            with self._free:
                if not future.set_running_or_notify_cancel():
                    return
                try:
                    future.set_result(work(*words, **more))
                except BaseException as error:  # noqa: BLE001 (whoever waits is told)
                    future.set_exception(error)

        threading.Thread(target=run, name="engine", daemon=True).start()
        return future
