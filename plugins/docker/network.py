"""docker.Network: made, read and removed on the engine. Any change replaces it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.docker.engine import Engine, EngineError, poll
from plugins.docker.property_builders import flag, labels, mapping, records, text
from plugins.errors import HalfMade, Refused
from plugins.resource import CurrentResource, Made, State
from plugins.schema import Type
from plugins.values import UNKNOWN, Plain

IN_USE_SECONDS = 30
"""How long a network's last containers may take to leave it."""

DESERTED_SECONDS = 8
"""How long a network may be refused as in use although nobody is on it: a container that goes is off the list a moment before."""

LOST_COUNT = (
    "no container is on it, so the engine's own count of them is wrong "
    "(https://github.com/moby/moby/issues/42119); restart the engine, then run the same command again"
)

FORBIDDEN = 403
Inputs = Mapping[str, Plain]

NETWORK = Type(
    name="docker:index/network:Network",
    properties=(
        flag("attachable"),
        text("driver", default="bridge"),
        flag("ingress"),
        flag("internal"),
        records("ipamConfigs", mapping("auxAddress"), text("gateway"), text("ipRange"), text("subnet")),
        text("ipamDriver", default="default"),
        mapping("ipamOptions"),
        flag("ipv6"),
        labels(),
        text("name"),
        mapping("options"),
    ),
    named=True,
    delete_first=True,
)


class Network:
    """Serves docker.Network on one engine."""

    type = NETWORK

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def planned(self, inputs: Inputs) -> State:
        state = {**_flags(inputs), "name": inputs.get("name"), "driver": inputs.get("driver", "bridge")}
        options = {name: inputs[name] for name in ("ipamConfigs", "options") if name in inputs}
        return {
            **state,
            "labels": inputs.get("labels", []),
            "ipamConfigs": UNKNOWN,
            "scope": UNKNOWN,
            **options,
        }

    async def create(self, inputs: Inputs, seconds: float) -> Made:
        network = await self.engine.unrecorded.make(self._created(inputs), remove)
        with self.engine.unrecorded.telling(network):
            try:
                inspection = await self.engine.call(lambda client: client.inspect_network(network))
            except Refused as reason:
                raise HalfMade(network, {**inputs, "id": network}, str(reason)) from None
            return Made(network, outputs(inputs, inspection))

    async def _created(self, inputs: Inputs) -> str:
        made = await self.engine.call(lambda client: client.create_network(**arguments(inputs)))
        return str(made["Id"])

    async def read(
        self, resource_id: str, inputs: Inputs, state: Mapping[str, Plain]
    ) -> CurrentResource | None:
        inspection = await self.engine.none_if_gone(lambda client: client.inspect_network(resource_id))
        if inspection is None:
            return None
        if not state:
            import_inputs = imported(inspection)
            return CurrentResource(inspection["Id"], outputs(import_inputs, inspection), import_inputs)
        return CurrentResource(inspection["Id"], outputs(inputs, inspection))

    async def update(
        self, resource_id: str, state: Mapping[str, Plain], inputs: Inputs, seconds: float
    ) -> State:
        return dict(state)

    async def delete(self, resource_id: str, state: Mapping[str, Plain], seconds: float) -> None:
        leaving = Leaving()

        async def is_over() -> bool:
            try:
                await self.engine.none_if_gone(lambda client: client.remove_network(resource_id))
            except EngineError as error:
                if error.status != FORBIDDEN or "active endpoints" not in str(error):
                    raise
                inspection = await self.engine.none_if_gone(
                    lambda client: client.inspect_network(resource_id)
                )
                leaving.note_refusal(
                    str(error), bool(inspection and inspection["Containers"]), time.monotonic()
                )
                return leaving.lost
            leaving.reason = ""
            return True

        try:
            await self.engine.wait_at_most(poll(is_over, 0.25), IN_USE_SECONDS, "for the network to be left")
        except Refused as refused:
            raise Refused(": ".join(filter(None, (str(refused), leaving.reason)))) from None
        if leaving.reason:
            raise Refused(f"{leaving.reason}; {LOST_COUNT}")


@dataclass
class Leaving:
    """A network that is refused as in use: the engine's last reason, and since when nobody has been seen on it."""

    reason: str = ""
    deserted: float | None = None
    lost: bool = False

    def note_refusal(self, reason: str, populated: bool, now: float) -> None:
        """Take note of one refusal."""
        self.reason = reason
        self.deserted = None if populated else now if self.deserted is None else self.deserted
        self.lost = self.deserted is not None and now - self.deserted > DESERTED_SECONDS


def remove(client: Any, network: str) -> None:
    """Remove a network."""
    client.remove_network(network)


def arguments(inputs: Inputs) -> dict[str, Any]:
    """Return what the engine is asked for, by docker-py's names."""
    pools = [
        {
            key: value
            for key, value in (
                ("Subnet", each.get("subnet")),
                ("IPRange", each.get("ipRange")),
                ("Gateway", each.get("gateway")),
                ("AuxiliaryAddresses", each.get("auxAddress")),
            )
            if value
        }
        for each in inputs.get("ipamConfigs") or ()
    ]
    ipam: dict[str, Any] = {"Driver": inputs.get("ipamDriver", "default"), "Config": pools}
    if inputs.get("ipamOptions"):
        ipam["Options"] = inputs["ipamOptions"]
    return {
        "name": inputs["name"],
        "driver": inputs.get("driver", "bridge"),
        "options": inputs.get("options") or {},
        "ipam": ipam,
        "check_duplicate": True,
        "internal": inputs.get("internal", False),
        "labels": {each["label"]: each["value"] for each in inputs.get("labels") or ()},
        "enable_ipv6": inputs.get("ipv6", False),
        "attachable": inputs.get("attachable", False),
        "ingress": inputs.get("ingress", False),
    }


def _flags(inputs: Inputs) -> State:
    flags = {name: inputs.get(name, False) for name in ("attachable", "ingress", "internal", "ipv6")}
    ipam = {"ipamDriver": inputs.get("ipamDriver", "default"), "ipamOptions": inputs.get("ipamOptions")}
    return {**flags, **ipam}


def outputs(inputs: Inputs, inspection: Mapping[str, Any]) -> State:
    """Return the state of a network made from `inputs` and inspected as `seen`."""
    # Auxiliary addresses are null beside a subnet that was asked for and empty beside one that was not.
    none: State | None = None if inputs.get("ipamConfigs") else {}
    return {
        "attachable": inspection["Attachable"],
        "driver": inspection["Driver"],
        "id": inspection["Id"],
        "ingress": inspection["Ingress"],
        "internal": inspection["Internal"],
        "ipamConfigs": [
            {
                "auxAddress": each.get("AuxiliaryAddresses") or none,
                "gateway": each.get("Gateway", ""),
                "ipRange": each.get("IPRange", ""),
                "subnet": each.get("Subnet", ""),
            }
            for each in inspection["IPAM"]["Config"] or ()
        ],
        "ipamDriver": inspection["IPAM"]["Driver"],
        "ipamOptions": inspection["IPAM"]["Options"] or None,
        "ipv6": inspection["EnableIPv6"],
        "labels": _labels(inspection["Labels"]),
        "name": inspection["Name"],
        "options": inspection["Options"] or {},
        "scope": inspection["Scope"],
    }


def imported(inspection: Mapping[str, Any]) -> State:
    """Return the inputs that would have made this network."""
    state = outputs({}, inspection)
    inputs: State = {"name": state["name"]}
    if state["driver"] != "bridge":
        inputs["driver"] = state["driver"]
    for name in ("attachable", "ingress", "internal", "ipv6", "labels", "options"):
        if state[name]:
            inputs[name] = state[name]
    pools = [{key: value for key, value in each.items() if value} for each in state["ipamConfigs"]]
    return {**inputs, **({"ipamConfigs": pools} if pools else {})}


def _labels(data: Mapping[str, str] | None) -> list[State]:
    return [{"label": key, "value": value} for key, value in sorted((data or {}).items())]
