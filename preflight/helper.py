"""Containers that are there for one question to an engine's host, and gone afterwards."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from config.portal.labels import HELPER

# A killed command leaves its own behind.
LEFT_SECONDS = 600


@contextmanager
def helper(client: Any, image: str, labels: Mapping[str, str] | None = None, **how: Any) -> Iterator[str]:
    """A container for one question to the engine's host, without a network unless said; its id. It is gone afterwards.

    `labels` are what it has besides that of all helpers.
    """
    remove_leftovers(client, time.time())
    marked = {HELPER: "", **(labels or {})}
    made: str = client.create_container(image, labels=marked, **{"network_disabled": True, **how})["Id"]
    try:
        yield made
    finally:
        client.remove_container(made, force=True)


def remove_leftovers(client: Any, now: float) -> None:
    """Remove the helpers of commands that were killed. One that runs still does what it was asked for."""
    from docker.errors import APIError

    ended = {"label": HELPER, "status": ["created", "exited", "dead"]}
    for each in client.containers(all=True, filters=ended):
        if now - each["Created"] > LEFT_SECONDS:
            with suppress(APIError):
                # Somebody else may be as quick.
                client.remove_container(each["Id"])
