"""openedx-forum's search on elasticsearch, that loses nothing while elasticsearch is away.

A post is acknowledged once mongo has it. What cannot be indexed at once is noted in mongo and indexed when
elasticsearch is back (unindexed.py, keeper.py); openedx-forum by itself would answer 500 to a post that it has kept.
"""

import logging
from threading import Lock

from elasticsearch.exceptions import ElasticsearchException, NotFoundError, RequestError
from forum.search import es

from service import stores, unindexed

log = logging.getLogger("service.search")
# Of the order in which the keeper and a request bring one document to the index.
ORDER = Lock()


class Client:
    """One client for all three parts."""

    @property
    def client(self):
        """The service's own."""
        return stores.search()


class Documents(Client, es.ElasticsearchDocumentBackend):
    """Each document by its whole content, so that an update heals an index that lacks it."""

    def index_document(self, index_name, doc_id, document):
        """Index it now, or note it."""
        self._bring(index_name, str(doc_id), document)

    update_document = index_document

    def delete_document(self, index_name, doc_id):
        """Remove it now, or note it."""
        self._bring(index_name, str(doc_id), None)

    def _bring(self, index, key, document):
        if not unindexed.BEHIND.is_set():
            try:
                with ORDER:
                    return put(index, key, document)
            except ElasticsearchException as error:
                log.warning("%s %s is indexed later: %s", index, key, type(error).__name__)
        unindexed.note(index, key)
        return None


def put(index, key, document):
    """Bring a document, or its absence, to the index. Raises when elasticsearch does not take it now."""
    try:
        if document is None:
            stores.search().delete(index=index, id=key)
        else:
            # Without the alias a write would make an index of that name, with mappings by guess.
            stores.search().index(index=index, id=key, body=document, require_alias=True)
    except RequestError as error:
        log.error("%s %s is not indexed: %s", index, key, error)
    except NotFoundError:
        if document is not None:
            raise


class Indices(Client, es.ElasticsearchIndexBackend):
    """The indices, made from mongo alone."""

    def move_alias(self, alias_name, index_name, force_delete=False):
        """Only when all of it can be found: a search in the second before its refresh would find nothing."""
        self.client.indices.refresh(index=index_name)
        super().move_alias(alias_name, index_name, force_delete)

    def _import_to_es_from_mysql(self, *args, **kwargs):
        return iter(())


class Threads(Client, es.ElasticsearchThreadSearchBackend):
    """The search itself."""


class Backend(es.ElasticsearchBackend):
    """What FORUM_SEARCH_BACKEND names."""

    DOCUMENT_SEARCH_CLASS = Documents
    INDEX_SEARCH_CLASS = Indices
    THREAD_SEARCH_CLASS = Threads
