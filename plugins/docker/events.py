"""What happens to containers, as the engine tells it: one stream for all that wait."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

FILTERS = {"type": "container", "event": ["health_status", "die", "destroy"]}

AGAIN_SECONDS = 1.0
"""How long after its end the stream is asked for again."""


class Events:
    """Wakes whoever watches a container when something happens to it. A wake is a hint, never the truth."""

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client
        self._watched: dict[str, list[asyncio.Event]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watchers = 0
        self._listens = False

    @contextmanager
    def watching(self, container: str) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever something happens to the container with this full id."""
        happened = asyncio.Event()
        watching = self._watched.setdefault(container, [])
        watching.append(happened)
        self._watchers += 1
        self._listen()
        try:
            yield happened
        finally:
            watching.remove(happened)
            self._watchers -= 1
            if not watching:
                self._watched.pop(container, None)

    def _listen(self) -> None:
        if not self._listens:
            self._listens, self._loop = True, asyncio.get_running_loop()
            threading.Thread(target=self._follow, name="events", daemon=True).start()

    def _follow(self) -> None:
        while self._watchers:
            # Whatever ends the stream, the watchers look for themselves now and then.
            with contextlib.suppress(Exception):
                for event in self._client().events(decode=True, filters=FILTERS):
                    self._tell(str(event.get("id", "")))
            time.sleep(AGAIN_SECONDS)
        self._listens = False

    def _tell(self, container: str) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake, container)

    def _wake(self, container: str) -> None:
        for happened in self._watched.get(container, ()):
            happened.set()
