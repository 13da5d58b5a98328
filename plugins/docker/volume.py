"""docker.Volume: made, read and removed on the engine. Any change replaces it."""

from collections.abc import Mapping
from typing import Any

from plugins.docker.engine import CONFLICT, Engine, EngineError, poll
from plugins.docker.property_builders import labels, mapping, text, unserved
from plugins.errors import Refused
from plugins.resource import CurrentResource, Made, State
from plugins.schema import Type
from plugins.values import UNKNOWN, Plain

IN_USE_SECONDS = 30
"""How long a volume's last containers may take to go."""

Inputs = Mapping[str, Plain]

VOLUME = Type(
    name="docker:index/volume:Volume",
    properties=(
        unserved("cluster"),
        text("driver", default="local"),
        mapping("driverOpts"),
        labels(),
        text("name"),
    ),
    named=True,
    delete_first=True,
)


class Volume:
    """Serves docker.Volume on one engine."""

    type = VOLUME

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def planned(self, inputs: Inputs) -> State:
        return {
            "cluster": None,
            "driver": inputs.get("driver", "local"),
            "driverOpts": inputs.get("driverOpts"),
            "labels": inputs.get("labels", []),
            "mountpoint": UNKNOWN,
            "name": inputs.get("name"),
        }

    async def create(self, inputs: Inputs, seconds: float) -> Made:
        name, driver, options = inputs["name"], inputs.get("driver", "local"), inputs.get("driverOpts") or {}
        marks = {each["label"]: each["value"] for each in inputs.get("labels") or ()}
        inspection = await self.engine.call(
            lambda client: client.create_volume(name, driver, options or None, marks or None)
        )
        if (inspection.get("Options") or {}) != options or inspection["Driver"] != driver:
            # The engine hands out a volume of that name as it is, even one that keeps its data elsewhere.
            raise Refused(
                f"a volume {name} exists with other options: {inspection['Driver']} {inspection.get('Options') or {}};"
                " remove it, or choose another name"
            )
        return Made(name, outputs(inspection))

    async def read(
        self, resource_id: str, inputs: Inputs, state: Mapping[str, Plain]
    ) -> CurrentResource | None:
        inspection = await self.engine.none_if_gone(lambda client: client.inspect_volume(resource_id))
        if inspection is None:
            return None
        return CurrentResource(inspection["Name"], outputs(inspection), {} if state else imported(inspection))

    async def update(
        self, resource_id: str, state: Mapping[str, Plain], inputs: Inputs, seconds: float
    ) -> State:
        return dict(state)

    async def delete(self, resource_id: str, state: Mapping[str, Plain], seconds: float) -> None:
        reasons: list[str] = []

        async def is_removed() -> bool:
            try:
                await self.engine.none_if_gone(lambda client: client.remove_volume(resource_id))
            except EngineError as error:
                if error.status != CONFLICT:
                    raise
                reasons[:] = [str(error)]
                return False
            return True

        try:
            await self.engine.wait_at_most(
                poll(is_removed, 0.25), IN_USE_SECONDS, "for the volume to be unused"
            )
        except Refused as refused:
            raise Refused(f"{refused}: {reasons[0]}" if reasons else str(refused)) from None


def outputs(inspection: Mapping[str, Any]) -> State:
    """Return the state of a volume inspected as `seen`."""
    return {
        "cluster": None,
        "driver": inspection["Driver"],
        "driverOpts": inspection.get("Options") or None,
        "id": inspection["Name"],
        "labels": [
            {"label": key, "value": value} for key, value in sorted((inspection.get("Labels") or {}).items())
        ],
        "mountpoint": inspection["Mountpoint"],
        "name": inspection["Name"],
    }


def imported(inspection: Mapping[str, Any]) -> State:
    """Return the inputs that would have made this volume."""
    state = outputs(inspection)
    options = {name: state[name] for name in ("driverOpts", "labels") if state[name]}
    driver = {} if state["driver"] == "local" else {"driver": state["driver"]}
    return {"name": state["name"], **driver, **options}
