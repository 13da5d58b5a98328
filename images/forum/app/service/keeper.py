"""Keeps the search index: makes it when it is missing, and brings to it what was written while it was away."""

import logging
from threading import Event, Lock, Thread

from elasticsearch.exceptions import ElasticsearchException
from forum.backends.mongodb import MODEL_INDICES, BaseContents
from pymongo.errors import PyMongoError

from service import stores

log = logging.getLogger("service.keeper")
AGAIN_SECONDS = 2.0
BATCH = 200
# Kept apart from openedx-forum's collections: `<index>/<id>` of what is to be indexed.
NOTES = "portal_unindexed"


def note(index: str, key: str) -> None:
    """Note in mongo that a document, or its deletion, has not reached the index."""
    stores.database()[NOTES].update_one(
        {"_id": f"{index}/{key}"}, {"$setOnInsert": {"index": index}}, upsert=True
    )


class Keeper:
    """One thread that sleeps while all is well."""

    def __init__(self) -> None:
        self._work = Event()
        self._work.set()
        self._starting = Lock()
        self._thread: Thread | None = None
        self._said = ""

    @property
    def behind(self) -> bool:
        """Whether the index may lack something; what is written now is noted, and waits its turn."""
        return self._work.is_set()

    def start(self) -> None:
        """Begin; after the fork."""
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._run, name="keeper", daemon=True)
                self._thread.start()

    def wake(self) -> None:
        """Something is to be done."""
        self._work.set()

    def _run(self) -> None:
        pause = Event()
        while True:
            self._work.wait()
            try:
                done = self._once()
            except (PyMongoError, ElasticsearchException) as error:
                self._say(f"waits for its stores: {type(error).__name__}")
                done = False
            except Exception:
                log.exception("failed, and tries again")
                done = False
            if not done:
                pause.wait(AGAIN_SECONDS)

    def _once(self) -> bool:
        """One round; whether nothing is left to do."""
        from service.search import Indices

        notes = stores.database()[NOTES]
        indices = Indices()
        if not indices.exists_aliases(indices.index_names):
            self._say("makes the search index from mongo")
            BaseContents().create_indexes()
            indices.rebuild_indices()
        for each in list(notes.find().limit(BATCH)):
            self._bring(each["_id"])
            notes.delete_one({"_id": each["_id"]})
        if notes.find_one() is not None:
            return False
        # A request that noted something just now has set it again, or does after this.
        self._work.clear()
        if notes.find_one() is not None:
            self._work.set()
            return False
        self._say("the search index is up to date")
        return True

    def _bring(self, name: str) -> None:
        from service.search import ORDER, put

        index, _, key = name.partition("/")
        model = next(each for each in MODEL_INDICES if each.index_name == index)
        with ORDER:
            found = model().get(key)
            put(index, key, None if found is None else model.doc_to_hash(found))

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            log.info(text)


KEEPER = Keeper()
