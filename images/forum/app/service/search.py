"""openedx-forum's search on elasticsearch, without loss while elasticsearch is unavailable.

A post is acknowledged when mongo has it. What cannot be indexed at once is noted in mongo and indexed later
(unindexed.py, indexer.py). openedx-forum by itself would answer 500, although it has saved the post.
"""

import logging
from collections.abc import Iterator
from threading import Lock
from typing import Any

from elasticsearch import Elasticsearch
from elasticsearch.exceptions import ElasticsearchException, NotFoundError, RequestError
from forum.search import es

from service import stores, unindexed

log = logging.getLogger("service.search")
# Held while the indexer or a request writes a document to the index, so that the newer content is written last.
ORDER = Lock()


class Client:
    """Gives the classes below one client."""

    @property
    def client(self) -> Elasticsearch:
        """The client of this service."""
        return stores.search()


class Documents(Client, es.ElasticsearchDocumentBackend):
    """Indexes whole documents, so that an update also repairs an index without the document."""

    def index_document(self, index_name: str, doc_id: object, document: dict[str, Any]) -> None:
        """Index a document now, or note it."""
        self._write(index_name, str(doc_id), document)

    update_document = index_document

    def delete_document(self, index_name: str, doc_id: object) -> None:
        """Delete a document now, or note that."""
        self._write(index_name, str(doc_id), None)

    def _write(self, index: str, key: str, document: dict[str, Any] | None) -> None:
        if not unindexed.BEHIND.is_set():
            try:
                with ORDER:
                    put(index, key, document)
                return
            except ElasticsearchException as error:
                log.warning("%s %s is indexed later: %s", index, key, type(error).__name__)
        unindexed.note(index, key)


def put(index: str, key: str, document: dict[str, Any] | None) -> None:
    """Index a document, or delete it (None). Raises ElasticsearchException if that fails for now."""
    try:
        if document is None:
            stores.search().delete(index=index, id=key)
        else:
            # Without require_alias a write could make an index of that name with guessed mappings.
            stores.search().index(index=index, id=key, body=document, require_alias=True)
    except RequestError as error:
        log.error("%s %s is not indexed: %s", index, key, error)
    except NotFoundError:
        if document is not None:
            raise


class Indices(Client, es.ElasticsearchIndexBackend):
    """The indices, made from mongo."""

    def move_alias(self, alias_name: str, index_name: str, force_delete: bool = False) -> None:
        """Move the alias after a refresh: until the refresh, a search in the new index finds nothing."""
        self.client.indices.refresh(index=index_name)
        super().move_alias(alias_name, index_name, force_delete)

    def _import_to_es_from_mysql(self, *args: object, **kwargs: object) -> Iterator[object]:
        return iter(())


class Threads(Client, es.ElasticsearchThreadSearchBackend):
    """The search for threads."""


class Backend(es.ElasticsearchBackend):
    """The backend that FORUM_SEARCH_BACKEND names."""

    DOCUMENT_SEARCH_CLASS = Documents
    INDEX_SEARCH_CLASS = Indices
    THREAD_SEARCH_CLASS = Threads
