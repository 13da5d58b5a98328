"""Where a tenant's data has been: what is known from what happened, whatever its file says now.

While a portal is up its state says it; a tag of its stack says it from the first `up` on, also after `destroy`, to every
operator of the same backend. `./portal purge` alone removes it, with the stack, when the data is gone.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from automation.runs import drift
from automation.stack import Stack
from config.portal.resource_types import DOCKER_PROVIDER, STORAGE, VOLUME
from config.values import placement

# One tag a place: the backends allow 40 characters of a name and, in Pulumi's own cloud, 256 of a value.
TAG = "portal:data-"


@dataclass(frozen=True, kw_only=True)
class DataLocation:
    """A drive by its root on an engine's host; `host` is the engine's address, as `config.values.placement.address_of` has it.

    `drive` is the drive's own id, empty where its mark has none; `at` when it was last brought up, in milliseconds since 1970.
    """

    root: str
    host: str = placement.LOCAL
    drive: str = ""
    at: int = 0

    @property
    def tag(self) -> str:
        """The name of its tag."""
        return TAG + hashlib.sha256(f"{self.root}\n{self.host}".encode()).hexdigest()[:8]

    def same_as(self, other: "DataLocation") -> bool:
        """Whether it is the same directory of the same engine's host."""
        return (self.root, self.host) == (other.root, other.host)


def location_in_state(state: Mapping[str, Any]) -> DataLocation | None:
    """Where a stack's state has the portal's data, None where nothing of it is there."""
    resources = drift.resources(state)
    latest_with_root = next(
        (
            str(each["outputs"]["directory"])
            for each in resources
            if each["type"] == STORAGE and "directory" in (each.get("outputs") or {})
        ),
        # Of a run that ended before the component was done.
        next((directory for each in resources if (directory := _directory(each))), ""),
    )
    if not latest_with_root:
        return None
    hosts = [(each.get("inputs") or {}).get("host") for each in resources if each["type"] == DOCKER_PROVIDER]
    return DataLocation(
        root=str(PurePosixPath(latest_with_root).parent),
        host=placement.address_of(str(next(filter(None, hosts), "")), os.environ),
    )


def _directory(resource: Mapping[str, Any]) -> str:
    """The portal's directory, of a volume that shows one of its own."""
    options = (resource.get("inputs") or {}).get("driverOpts") if resource["type"] == VOLUME else None
    return str(PurePosixPath(options["device"]).parent) if options and options.get("device") else ""


def recorded_locations(stack: Stack) -> tuple[DataLocation, ...]:
    """The places that the stack's tags tell, the latest first. Raises PortalError when the backend cannot be asked."""
    locations = []
    for name, value in stack.tags().items():
        if name.startswith(TAG):
            recorded = json.loads(value)
            locations.append(
                DataLocation(
                    **{key: recorded[key] for key in ("root", "host", "drive", "at") if key in recorded}
                )
            )
    return tuple(sorted(locations, key=lambda each: (-each.at, each.root, each.host)))


def known_locations(stack: Stack, state: Mapping[str, Any]) -> tuple[DataLocation, ...]:
    """Every place where the tenant's data may be, by what happened: the state's first, then the latest."""
    now = location_in_state(state)
    recorded = recorded_locations(stack)
    return unique([*([now] if now else []), *recorded])


def unique(places: Iterable[DataLocation]) -> tuple[DataLocation, ...]:
    """Each directory once, its first mention."""
    by_place: dict[tuple[str, str], DataLocation] = {}
    for each in places:
        by_place.setdefault((each.root, each.host), each)
    return tuple(by_place.values())


def record(stack: Stack, place: DataLocation) -> None:
    """Have the stack remember a place, unless it is the latest already. Raises PortalError."""
    latest = next(iter(recorded_locations(stack)), None)
    if latest and latest.same_as(place) and place.drive in ("", latest.drive):
        return
    recorded = {key: value for key, value in asdict(place).items() if value}
    recorded["at"] = time.time_ns() // 1_000_000
    stack.tag(place.tag, json.dumps(recorded, separators=(",", ":")))
