"""Keeps the search index: makes it when it is missing, and brings to it what was written while it was away."""

import logging
from threading import Event, Lock, Thread

from elasticsearch.exceptions import ElasticsearchException
from forum.backends.mongodb import MODEL_INDICES, BaseContents
from pymongo.errors import PyMongoError

from service import unindexed
from service.search import ORDER, Indices, put

log = logging.getLogger("service.keeper")
AGAIN_SECONDS = 2.0
BATCH = 200


class Keeper:
    """One thread that sleeps while all is well."""

    def __init__(self) -> None:
        self._starting = Lock()
        self._thread: Thread | None = None
        self._said = ""

    def start(self) -> None:
        """Begin; after the fork."""
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._run, name="keeper", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        pause = Event()
        while True:
            unindexed.BEHIND.wait()
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
        notes = unindexed.notes()
        indices = Indices()
        if not indices.exists_aliases(indices.index_names):
            self._say("makes the search index from mongo")
            BaseContents().create_indexes()
            indices.rebuild_indices()
        for each in list(notes.find().limit(BATCH)):
            self._bring(each["_id"])
            unindexed.strike_out(each)
        if notes.find_one() is not None:
            return False
        # A request that noted something just now has set it again, or does after this.
        unindexed.BEHIND.clear()
        if notes.find_one() is not None:
            unindexed.BEHIND.set()
            return False
        self._say("the search index is up to date")
        return True

    def _bring(self, name: str) -> None:
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
