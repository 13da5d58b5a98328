"""What goes wrong, as an answer: 400 for the caller's part, 503 for a store that is away, 500 for our own."""

import logging

from bson.errors import InvalidId
from elasticsearch.exceptions import ElasticsearchException, NotFoundError
from forum.utils import ForumV2RequestError
from pymongo.errors import ConnectionFailure
from rest_framework.response import Response
from rest_framework.views import exception_handler

from service import unindexed

log = logging.getLogger("service")


def answer(error: Exception, context: dict[str, object]) -> Response | None:
    """The answer to a view's exception; None lets it be a 500 with its traceback in the log."""
    if isinstance(error, ConnectionFailure):
        return unavailable("mongo", error)
    if isinstance(error, ElasticsearchException):
        if isinstance(error, NotFoundError):
            # The index is not there: it is made anew, and the search answers in a moment.
            unindexed.BEHIND.set()
        return unavailable("elasticsearch", error)
    if isinstance(error, InvalidId | ForumV2RequestError | KeyError | ValueError | TypeError):
        # openedx-forum takes a request apart without looking first.
        if not isinstance(error, InvalidId | ForumV2RequestError):
            log.warning("took a failure for the caller's", exc_info=error)
        return Response({"error": f"{type(error).__name__}: {error}"[:300]}, status=400)
    return exception_handler(error, context)


def unavailable(store: str, error: Exception) -> Response:
    """503, and a line in the log."""
    first = (str(error).splitlines() or [""])[0][:200]
    log.warning("%s does not serve: %s: %s", store, type(error).__name__, first)
    return Response({"error": f"{store} does not serve"}, status=503, headers={"Retry-After": "5"})
