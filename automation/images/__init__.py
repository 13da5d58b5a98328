"""The images built here: built, listed, and cleared away, on the engine that is to run them."""

from automation.images.builder import build
from automation.images.deriving import derive
from automation.images.event import BuildError, Event, State
from automation.images.listing import Row, listing, missing, prune, superseded
from automation.images.registries import digests, pull

__all__ = [
    "BuildError",
    "Event",
    "Row",
    "State",
    "build",
    "derive",
    "digests",
    "listing",
    "missing",
    "prune",
    "pull",
    "superseded",
]
