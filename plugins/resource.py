"""What a plugin must be able to do for one resource type."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from plugins.schema import Type
from plugins.values import Plain

State = dict[str, Plain]


@dataclass(frozen=True)
class Made:
    """A resource that exists: its id and what goes into the state."""

    id: str
    outputs: State


@dataclass(frozen=True)
class CurrentResource:
    """A resource as it is now. `inputs` holds only those that differ from what the state says."""

    id: str
    outputs: State
    inputs: State = field(default_factory=dict)


class Resource(Protocol):
    """One resource type. Every method may raise Refused; create and update may raise HalfMade."""

    type: Type

    def planned(self, inputs: Mapping[str, Plain]) -> State:
        """Return the outputs a preview knows; UNKNOWN for those it cannot."""

    async def create(self, inputs: Mapping[str, Plain], seconds: float) -> Made:
        """Make the resource within `seconds`. Raises HalfMade where it exists all the same, but is not as it was asked for."""

    async def read(
        self, resource_id: str, inputs: Mapping[str, Plain], outputs: Mapping[str, Plain]
    ) -> CurrentResource | None:
        """Return the resource as it is, or None where it is gone. Both mappings are empty in an import."""

    async def update(
        self, resource_id: str, outputs: Mapping[str, Plain], inputs: Mapping[str, Plain], seconds: float
    ) -> State:
        """Change the resource in place within `seconds` and return its outputs. Raises HalfMade where only a part was changed."""

    async def delete(self, resource_id: str, outputs: Mapping[str, Plain], seconds: float) -> None:
        """Remove the resource within `seconds`; one that is already gone is no error. Raises Refused where it stays."""
