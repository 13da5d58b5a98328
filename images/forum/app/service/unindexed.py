"""Notes in mongo of documents that are not in the search index yet."""

from threading import Event
from typing import Any

from bson import ObjectId
from pymongo.collection import Collection

from service import stores

# A collection of its own, not one of openedx-forum's: `<index>/<id>` of each document to index.
NOTES = "portal_unindexed"
# Set while the index may be incomplete, as it may be at the start. What is written meanwhile is noted and indexed later.
BEHIND = Event()
BEHIND.set()


def note(index: str, key: str) -> None:
    """Note that a document or its deletion is not in the index yet, and wake the indexer."""
    # A new mark each time, so that indexing an older content does not delete the note of a newer one.
    notes().update_one({"_id": f"{index}/{key}"}, {"$set": {"mark": ObjectId()}}, upsert=True)
    BEHIND.set()


def delete_note(noted: dict[str, object]) -> None:
    """Delete the note of a document that is in the index now; a later note of it stays."""
    notes().delete_one({"_id": noted["_id"], "mark": noted.get("mark")})


def notes() -> Collection[dict[str, Any]]:
    """The collection of the notes."""
    return stores.database()[NOTES]
