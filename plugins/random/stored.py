"""What the random types have in common: made once, then only kept in the state."""

from collections.abc import Mapping

from plugins.errors import Refused
from plugins.resource import CurrentResource, State
from plugins.schema import Kind, Property
from plugins.values import Plain

KEEPERS = Property(name="keepers", kind=Kind.MAP)


class Stored:
    """A resource that lives in the state alone."""

    async def read(
        self, resource_id: str, inputs: Mapping[str, Plain], outputs: Mapping[str, Plain]
    ) -> CurrentResource | None:
        if not outputs:
            return self.imported(resource_id)
        return CurrentResource(resource_id, dict(outputs))

    def imported(self, resource_id: str) -> CurrentResource:
        """Return the resource whose value is given as its id; raises Refused."""
        raise Refused("this type cannot be imported")

    async def update(
        self, resource_id: str, outputs: Mapping[str, Plain], inputs: Mapping[str, Plain], seconds: float
    ) -> State:
        return {**outputs, **inputs}

    async def delete(self, resource_id: str, outputs: Mapping[str, Plain], seconds: float) -> None:
        return None
