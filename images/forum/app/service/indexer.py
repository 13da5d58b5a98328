"""Keeps the search index complete: makes it if it is missing, and indexes what was written while it was unavailable."""

import logging
from threading import Event, Lock, Thread

from elasticsearch.exceptions import ElasticsearchException
from forum.backends.mongodb import MODEL_INDICES, BaseContents
from pymongo.errors import PyMongoError

from service import unindexed
from service.search import ORDER, Indices, put

log = logging.getLogger("service.indexer")
RETRY_SECONDS = 2.0
BATCH = 200


class Indexer:
    """One thread, which sleeps while the index is complete."""

    def __init__(self) -> None:
        self._starting = Lock()
        self._thread: Thread | None = None
        self._last_logged = ""

    def start(self) -> None:
        """Start the thread; call this after the fork."""
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._run, name="indexer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        pause = Event()
        while True:
            unindexed.BEHIND.wait()
            try:
                complete = self._index_notes()
            except (PyMongoError, ElasticsearchException) as error:
                self._log_change(f"waits for its stores: {type(error).__name__}")
                complete = False
            except Exception:
                log.exception("failed; trying again")
                complete = False
            if not complete:
                pause.wait(RETRY_SECONDS)

    def _index_notes(self) -> bool:
        """Index what is noted; returns whether the index is complete."""
        notes = unindexed.notes()
        indices = Indices()
        if not indices.exists_aliases(indices.index_names):
            self._log_change("making the search index from mongo")
            BaseContents().create_indexes()
            indices.rebuild_indices()
        for each in list(notes.find().limit(BATCH)):
            self._index(each["_id"])
            unindexed.delete_note(each)
        if notes.find_one() is not None:
            return False
        # A request that has noted something meanwhile sets this again, before or after this line.
        unindexed.BEHIND.clear()
        if notes.find_one() is not None:
            unindexed.BEHIND.set()
            return False
        self._log_change("the search index is up to date")
        return True

    def _index(self, name: str) -> None:
        index, _, key = name.partition("/")
        model = next(each for each in MODEL_INDICES if each.index_name == index)
        with ORDER:
            document = model().get(key)
            put(index, key, None if document is None else model.doc_to_hash(document))

    def _log_change(self, text: str) -> None:
        """Log a text if it differs from the last one."""
        if text != self._last_logged:
            self._last_logged = text
            log.info(text)


INDEXER = Indexer()
