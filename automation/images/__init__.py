"""The images built here: built, listed, and cleared away, on the engine that is to run them."""

from automation.images.builder import build
from automation.images.event import BuildError, Event, State
from automation.images.listing import Row, listing, missing, prune, superseded

__all__ = ["BuildError", "Event", "Row", "State", "build", "listing", "missing", "prune", "superseded"]
