"""The images built here: built, listed, and cleared away, on the engine that is to run them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automation.images.builder import build
    from automation.images.deriving import derive
    from automation.images.event import BuildError, Event, State
    from automation.images.listing import Row, list_images, missing, prune, superseded
    from automation.images.registries import absent, digests, pull

MODULES = {
    "BuildError": "event",
    "Event": "event",
    "Row": "listing",
    "State": "event",
    "absent": "registries",
    "build": "builder",
    "derive": "deriving",
    "digests": "registries",
    "list_images": "listing",
    "missing": "listing",
    "prune": "listing",
    "pull": "registries",
    "superseded": "listing",
}
__all__ = [
    "BuildError",
    "Event",
    "Row",
    "State",
    "absent",
    "build",
    "derive",
    "digests",
    "list_images",
    "missing",
    "prune",
    "pull",
    "superseded",
]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: most verbs build nothing, and docker-py takes as long as all else that they load.
    if name in MODULES:
        return getattr(import_module(f"automation.images.{MODULES[name]}"), name)
    raise AttributeError(name)
