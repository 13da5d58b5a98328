"""A resource as the engine is asked for it, and what the rules read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# As config/portal/resource_types.py and config/portal/labels.py have them: a pack stands alone.
CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
TENANT, SERVICE, GROUP = "portal.tenant", "portal.service", "portal.group"


class Unknown:
    """A value that a preview does not know yet. It equals nothing, and no rule finds fault with it."""


UNKNOWN = Unknown()


@dataclass(frozen=True, kw_only=True)
class Resource:
    """`inputs` have the engine's own names (memorySwap); numbers may be floats."""

    type: str
    name: str
    inputs: Mapping[str, Any]

    def get(self, key: str) -> Any:
        """An input, None when it is not given."""
        return self.inputs.get(key)

    def get_list(self, key: str) -> list[Any]:
        """An input that is a list, without what is not known yet."""
        value = self.get(key)
        return [] if value is UNKNOWN else [each for each in value or [] if each is not UNKNOWN]

    @property
    def labels(self) -> dict[str, Any]:
        """The labels by name."""
        return {each["label"]: each["value"] for each in self.get_list("labels")}

    @property
    def tenant(self) -> str:
        """Whose it says it is."""
        return str(self.labels.get(TENANT, ""))

    @property
    def is_job(self) -> bool:
        """Whether it is a container that ends."""
        return self.labels.get(GROUP) == "ops"
