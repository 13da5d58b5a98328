"""Waiting until a container is ready, as the engine's own health probe tells.

The engine's word alone counts: the probe is not run from here, so that waiting costs the machine nothing.
"""

import asyncio
import contextlib
from typing import Any

from plugins.docker.engine import Engine
from plugins.errors import Refused

LOOK_SECONDS = 1.0
"""How often the engine is asked although it told of no event."""

RESTARTS = 5
"""How often a container that is restarted may end before it is given up."""

WORDS = 300
"""How many characters of a probe's or a container's last words an error repeats."""


async def healthy(engine: Engine, container: str, seconds: int) -> None:
    """Return once the container is healthy. Raises Refused after `seconds`, and when it is not to be expected any more."""
    await engine.wait_at_most(_healthy(engine, container), seconds, "for the container to become healthy")


async def _healthy(engine: Engine, container: str) -> None:
    with engine.events.watching(container) as happened:
        while True:
            happened.clear()
            inspection = await engine.none_if_gone(lambda client: client.inspect_container(container))
            if inspection is None:
                raise Refused("the container was removed before it was healthy")
            if is_over(inspection):
                raise Refused(await _ended(engine, inspection))
            if is_healthy(inspection):
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(happened.wait(), LOOK_SECONDS)


def is_healthy(inspection: dict[str, Any]) -> bool:
    """Tell whether the engine calls the container healthy; raises Refused where it never will."""
    health = inspection["State"].get("Health")
    if health is None:
        raise Refused("wait needs a healthcheck, and neither the container nor its image has one")
    # One that is down is called unhealthy as well, but may be about to be restarted.
    if (
        health["Status"] == "unhealthy"
        and inspection["State"]["Running"]
        and not inspection["State"].get("Restarting")
    ):
        raise Refused(f"the container is unhealthy: {last_probe(health)}")
    return bool(health["Status"] == "healthy")


def is_over(inspection: dict[str, Any]) -> bool:
    """Tell whether the container ended for good, or so often that it will not come up."""
    state = inspection["State"]
    if inspection["RestartCount"] >= RESTARTS:
        return True
    restarts = inspection["HostConfig"]["RestartPolicy"]["Name"] not in ("", "no")
    return not state["Running"] and not state.get("Restarting") and not restarts


async def _ended(engine: Engine, inspection: dict[str, Any]) -> str:
    times = f" {inspection['RestartCount']} times" if inspection["RestartCount"] else ""
    reason = (
        f"the container ended{times} before it was healthy, with exit code {inspection['State']['ExitCode']}"
    )
    words = await last_words(engine, inspection["Id"])
    return f"{reason}: {words}" if words else reason


async def last_words(engine: Engine, container: str) -> str:
    """Return the end of the container's log in one line; '' where it cannot be read."""
    try:
        log = await engine.call(lambda client: client.logs(container, tail=3))
    except Refused:
        return ""
    return " ".join(log.decode(errors="replace").split())[-WORDS:]


def last_probe(health: dict[str, Any]) -> str:
    """Return what the last probe said, in a few words."""
    log = health.get("Log") or []
    if not log:
        return "no probe has ended yet"
    output = " ".join(str(log[-1].get("Output", "")).split())[-WORDS:]
    return f"the last probe ended with exit code {log[-1]['ExitCode']}" + (f": {output}" if output else "")
