"""Headers of every answer, and a page for the time that a data store is away."""

import logging

from django.db import Error as DatabaseError
from django.http import HttpResponse
from django.template.loader import render_to_string
from pymongo.errors import PyMongoError

logger = logging.getLogger(__name__)

POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"


def headers(get_response):
    """Security headers that Django has no setting for, and the word that this is a stand-in."""

    def middleware(request):
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers["X-Stands-In-For"] = "edx-platform"
        return response

    return middleware


class StoreAway:
    """503 and one line in the log, rather than 500 and a traceback, when MySQL or Mongo do not answer."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, DatabaseError | PyMongoError):
            return None
        logger.error("%s: %s: %s", request.path, type(exception).__name__, str(exception)[:200])
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "5"})
