"""What was made and is not known to the CLI yet. If the CLI is gone by then, nobody will ever know."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

Removal = Callable[[Any, str], Any]
"""Removes a thing, by the engine's client and the thing's id."""


class Unrecorded:
    """Keeps account of things between their making and the answer that tells the CLI of them."""

    def __init__(self) -> None:
        self._making: set[asyncio.Future[str]] = set()
        self._removals: dict[str, Callable[[Any], Any]] = {}

    async def make(self, making: Coroutine[Any, Any, str], removal: Removal) -> str:
        """Return the id of what is made. The making goes on although the CLI hangs up meanwhile."""
        made = asyncio.ensure_future(making)
        self._making.add(made)
        made.add_done_callback(partial(self._made, removal))
        return await asyncio.shield(made)

    def _made(self, removal: Removal, made: asyncio.Future[str]) -> None:
        self._making.discard(made)
        if not made.cancelled() and made.exception() is None:
            name = made.result()
            self._removals[name] = lambda client: removal(client, name)

    @contextmanager
    def telling(self, name: str) -> Iterator[None]:
        """Strike `name` off once the CLI is answered, well or badly."""
        try:
            yield
        except asyncio.CancelledError:
            # The CLI has hung up: it will not hear the answer.
            raise
        except BaseException:
            self._removals.pop(name, None)
            raise
        self._removals.pop(name, None)

    async def removals(self) -> list[Callable[[Any], Any]]:
        """Return what removes all that is left, once what is still being made is made."""
        await asyncio.gather(*self._making, return_exceptions=True)
        return list(self._removals.values())
