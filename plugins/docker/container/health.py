"""Waiting until a container is ready, as the engine's own health probe tells."""

import asyncio
from typing import Any

from plugins.docker.engine import Engine
from plugins.errors import Refused

POLL_SECONDS = 0.25


async def healthy(engine: Engine, container: str, seconds: int) -> None:
    """Return once the container is healthy; raises Refused when it is not to be expected any more."""
    await engine.within(_healthy(engine, container), seconds, "for the container to become healthy")


async def _healthy(engine: Engine, container: str) -> None:
    while True:
        seen = await engine.call(lambda client: client.inspect_container(container))
        state = seen["State"]
        if "Health" not in state:
            raise Refused("wait needs a healthcheck, and neither the container nor its image has one")
        if state["Health"]["Status"] == "healthy":
            return
        if state["Health"]["Status"] == "unhealthy":
            raise Refused(f"the container is unhealthy: {last_probe(state)}")
        if not state["Running"] and not state.get("Restarting"):
            raise Refused(f"the container ended with exit code {state['ExitCode']} before it was healthy")
        await asyncio.sleep(POLL_SECONDS)


def last_probe(state: dict[str, Any]) -> str:
    """Return what the last probe said, in a few words."""
    log = state["Health"].get("Log") or []
    if not log:
        return "no probe has ended yet"
    output = " ".join(str(log[-1].get("Output", "")).split())[-300:]
    return f"the last probe ended with exit code {log[-1]['ExitCode']}" + (f": {output}" if output else "")
