"""Answers for exceptions: 400 for a wrong request, 503 for an unavailable store, 500 for faults of this service."""

import logging

from bson.errors import InvalidId
from elasticsearch.exceptions import ElasticsearchException, NotFoundError
from forum.utils import ForumV2RequestError
from pymongo.errors import ConnectionFailure
from rest_framework.response import Response
from rest_framework.views import exception_handler

from service import unindexed

log = logging.getLogger("service")


def answer_for(error: Exception, context: dict[str, object]) -> Response | None:
    """The answer to an exception of a view; None for a 500, with the traceback in the log."""
    if isinstance(error, ConnectionFailure):
        return unavailable("mongo", error)
    if isinstance(error, ElasticsearchException):
        if isinstance(error, NotFoundError):
            # The index is missing: it is made again, and the search answers soon.
            unindexed.BEHIND.set()
        return unavailable("elasticsearch", error)
    if isinstance(error, InvalidId | ForumV2RequestError | KeyError | ValueError | TypeError):
        # openedx-forum does not check requests before it uses them.
        if not isinstance(error, InvalidId | ForumV2RequestError):
            log.warning("answered 400 to a failure", exc_info=error)
        return Response({"error": f"{type(error).__name__}: {error}"[:300]}, status=400)
    response: Response | None = exception_handler(error, context)
    return response


def unavailable(store: str, error: Exception) -> Response:
    """The answer 503; writes a line to the log."""
    first = (str(error).splitlines() or [""])[0][:200]
    log.warning("%s is unavailable: %s: %s", store, type(error).__name__, first)
    return Response({"error": f"{store} is unavailable"}, status=503, headers={"Retry-After": "5"})
