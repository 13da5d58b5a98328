"""What has not reached the search index yet, noted in mongo, and whether there may be any such thing."""

from threading import Event

from bson import ObjectId
from pymongo.collection import Collection

from service import stores

# Kept apart from openedx-forum's collections: `<index>/<id>` of what is to be indexed.
NOTES = "portal_unindexed"
# Set while the index may lack something, as it may at the start; what is written meanwhile is noted, and waits its turn.
BEHIND = Event()
BEHIND.set()


def note(index: str, key: str) -> None:
    """Note that a document, or its deletion, has not reached the index, and wake who brings it there."""
    # A new one each time: who brings an older content must not strike out the note of a newer one.
    notes().update_one({"_id": f"{index}/{key}"}, {"$set": {"mark": ObjectId()}}, upsert=True)
    BEHIND.set()


def strike_out(noted: dict[str, object]) -> None:
    """What was noted has been brought to the index; a note made since stays."""
    notes().delete_one({"_id": noted["_id"], "mark": noted.get("mark")})


def notes() -> Collection:
    """The collection of the notes."""
    return stores.database()[NOTES]
