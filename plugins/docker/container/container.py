"""docker.Container: made, read, changed and removed on the engine."""

import asyncio
from collections.abc import Mapping
from typing import Any

from plugins.docker import image
from plugins.docker.container.health import healthy
from plugins.docker.container.imported import imported
from plugins.docker.container.outputs import is_running, outputs, planned
from plugins.docker.container.properties import CONTAINER
from plugins.docker.container.request import create_body, endpoint, is_id, update_arguments
from plugins.docker.container.uploads import archive
from plugins.docker.engine import CONFLICT, GONE, Engine, EngineError, poll
from plugins.errors import HalfMade, Refused
from plugins.resource import CurrentResource, Made, State
from plugins.values import Plain

Inputs = Mapping[str, Plain]

LOG_LINES = 5000
"""How many of a job's last lines go into the state."""

SETTLING_SECONDS = 0.3
"""How long a container that is not restarted is given to end at once, so that the state says so."""

REMOVAL_SECONDS = 30
"""How long the engine may take to remove what it says it is removing."""


class Container:
    """Serves docker.Container on one engine."""

    type = CONTAINER

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def planned(self, inputs: Inputs) -> State:
        return planned(inputs)

    async def create(self, inputs: Inputs, seconds: float) -> Made:
        container = await self.engine.unrecorded.make(self._created(inputs), remove)
        with self.engine.unrecorded.telling(container):
            try:
                start = self._connect_and_start(container, inputs)
                return Made(
                    container, await self.engine.wait_at_most(start, seconds, "for the container's start")
                )
            except Refused as reason:
                raise HalfMade(container, await self._best_known(container, inputs), str(reason)) from None

    async def _created(self, inputs: Inputs) -> str:
        body = create_body(inputs)
        body["NetworkingConfig"] = {"EndpointsConfig": await self._first_network(inputs)}
        name, platform = inputs["name"], inputs.get("platform")
        try:
            return await self._create(body, name, platform)
        except EngineError as error:
            if error.status != GONE or "image" not in str(error).lower():
                raise
        await image.pull(self.engine, inputs["image"], platform)
        return await self._create(body, name, platform)

    async def _create(self, body: Mapping[str, Any], name: str, platform: str | None) -> str:
        made = await self.engine.call(
            lambda client: client.create_container_from_config(body, name, platform)
        )
        return str(made["Id"])

    async def _first_network(self, inputs: Inputs) -> dict[str, Any]:
        # Made on its first network, the container never touches the default one, not even before its start.
        networks = inputs.get("networksAdvanced") or []
        if not networks or not on_default_network(inputs):
            return {}
        name = networks[0]["name"]
        if is_id(name):
            inspection = await self.engine.none_if_gone(lambda client: client.inspect_network(name))
            name = inspection["Name"] if inspection else name
        return {name: endpoint(networks[0])}

    async def _connect_and_start(self, container: str, inputs: Inputs) -> State:
        """Connect, fill and start the container, wait as asked, and return its outputs."""
        networks = inputs.get("networksAdvanced") or []
        for network in networks[1:] if on_default_network(inputs) else networks:
            await self._connect(container, network)
        if inputs.get("uploads"):
            files = archive(inputs["uploads"])
            await self.engine.call(lambda client: client.put_archive(container, "/", files))
        made = await self._inspect(container) if inputs.get("rm") else {}
        logs = await self._start(container, inputs) if inputs.get("start", True) else None
        # One that removes itself may be gone by now: then it has ended.
        inspection = await self.engine.none_if_gone(lambda client: client.inspect_container(container))
        if inspection is None and not made:
            raise Refused("the container was removed while it started")
        return outputs(inputs, inspection or {**made, "State": {"Running": False, "ExitCode": 0}}, logs)

    async def _start(self, container: str, inputs: Inputs) -> str | None:
        await self.engine.call(lambda client: client.start(container))
        if inputs.get("attach"):
            return await self._wait_for_end(container, bool(inputs.get("logs")))
        if inputs.get("wait"):
            await healthy(self.engine, container, inputs.get("waitTimeout", 60))
        elif inputs.get("restart", "no") == "no":
            await asyncio.sleep(SETTLING_SECONDS)
        return None

    async def _connect(self, container: str, network: Inputs) -> None:
        settings = endpoint(network)
        addresses = settings["IPAMConfig"]
        await self.engine.call(
            lambda client: client.connect_container_to_network(
                container,
                network["name"],
                ipv4_address=addresses.get("IPv4Address"),
                ipv6_address=addresses.get("IPv6Address"),
                link_local_ips=addresses.get("LinkLocalIPs"),
                aliases=settings["Aliases"],
                mac_address=settings.get("MacAddress"),
                driver_opt=settings.get("DriverOpts"),
            )
        )

    async def _wait_for_end(self, container: str, with_logs: bool) -> str | None:
        await self.engine.call(lambda client: client.wait(container, timeout=None))
        logs = (
            await self.engine.none_if_gone(lambda client: client.logs(container, tail=LOG_LINES))
            if with_logs
            else None
        )
        return None if logs is None else str(logs.decode(errors="replace"))

    async def _inspect(self, container: str) -> Any:
        return await self.engine.call(lambda client: client.inspect_container(container))

    async def _best_known(self, container: str, inputs: Inputs) -> State:
        try:
            return outputs(inputs, await self._inspect(container), None)
        except Refused:
            return {**inputs, "id": container}

    async def read(
        self, resource_id: str, inputs: Inputs, state: Mapping[str, Plain]
    ) -> CurrentResource | None:
        inspection = await self.engine.none_if_gone(lambda client: client.inspect_container(resource_id))
        if inspection is None:
            return CurrentResource(resource_id, dict(state)) if state.get("rm") else None
        if not state:
            image_seen = await self.engine.none_if_gone(
                lambda client: client.inspect_image(inspection["Image"])
            )
            import_inputs = imported(inspection, image_seen or {})
            return CurrentResource(inspection["Id"], outputs(import_inputs, inspection, None), import_inputs)
        fresh = outputs(inputs, inspection, state.get("containerLogs"))
        return CurrentResource(
            inspection["Id"],
            fresh,
            {**drifted_inputs(inputs, state, fresh), **changed_networks(inputs, inspection)},
        )

    async def update(
        self, resource_id: str, state: Mapping[str, Plain], inputs: Inputs, seconds: float
    ) -> State:
        arguments = update_arguments(state, inputs)
        if arguments:
            await self.engine.call(lambda client: client.update_container(resource_id, **arguments))
        inspection = await self._inspect(resource_id)
        must_run = inputs.get("mustRun", True) and inputs.get("start", True)
        if must_run and not is_running(inspection):
            await self.engine.call(lambda client: client.start(resource_id))
            if inputs.get("wait"):
                await healthy(self.engine, resource_id, inputs.get("waitTimeout", 60))
            inspection = await self._inspect(resource_id)
        return outputs(inputs, inspection, state.get("containerLogs"))

    async def delete(self, resource_id: str, state: Mapping[str, Plain], seconds: float) -> None:
        grace = state.get("destroyGraceSeconds") or 0
        if grace > 0:
            stop = self.engine.none_if_gone(lambda client: client.stop(resource_id, timeout=grace))
            await self.engine.wait_at_most(stop, seconds, "for the container to stop")
        with_volumes = state.get("removeVolumes", True)
        goes_by_itself = bool(state.get("rm"))
        try:
            await self.engine.none_if_gone(
                lambda client: client.remove_container(resource_id, v=with_volumes, force=True)
            )
        except EngineError as error:
            if error.status != CONFLICT:
                raise
            # Somebody else is removing it.
            goes_by_itself = True
        if goes_by_itself:
            await self.engine.wait_at_most(
                poll(lambda: self._is_gone(resource_id), 0.1), REMOVAL_SECONDS, "for the container's removal"
            )

    async def _is_gone(self, container: str) -> bool:
        return await self.engine.none_if_gone(lambda client: client.inspect_container(container)) is None


def on_default_network(inputs: Inputs) -> bool:
    """Tell whether the container would join the engine's default network, did it not name others."""
    return inputs.get("networkMode", "bridge") in ("", "default", "bridge")


DRIFTING = ("cpuShares", "cpuSet", "maxRetryCount", "memory", "memoryReservation", "memorySwap", "restart")
"""Inputs that `docker update` may change behind our back."""


def drifted_inputs(inputs: Inputs, state: Mapping[str, Plain], fresh: Mapping[str, Plain]) -> State:
    """Return the inputs that would make the container what it has become."""
    changed = {name: fresh[name] for name in DRIFTING if name in state and state[name] != fresh[name]}
    # One that had ended already when it was last looked at is no news.
    if state.get("mustRun") and not fresh["mustRun"]:
        changed["mustRun"] = False
    return changed


def changed_networks(inputs: Inputs, inspection: Mapping[str, Any]) -> State:
    """Return the networks as inputs, where the container has left one of its own or joined another."""
    networks_input = inputs.get("networksAdvanced")
    if not networks_input:
        return {}
    joined = inspection["NetworkSettings"]["Networks"]
    ids = {name: each["NetworkID"] for name, each in joined.items()}
    kept = [each for each in networks_input if each["name"] in ids or each["name"] in ids.values()]
    own = {each["name"] for each in networks_input}
    if not on_default_network(inputs):
        own.add(inputs["networkMode"])
    strange = [name for name, network in ids.items() if name not in own and network not in own]
    if len(kept) == len(networks_input) and not strange:
        return {}
    return {"networksAdvanced": [*kept, *({"name": name} for name in sorted(strange))]}


def remove(client: Any, container: str) -> None:
    """Remove a container and its anonymous volumes at once."""
    client.remove_container(container, v=True, force=True)
