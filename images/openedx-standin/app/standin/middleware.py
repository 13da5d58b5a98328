"""Headers of every answer, and a page for the time that a data store is away."""

import logging

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpResponse
from django.template.loader import render_to_string
from pymongo.errors import PyMongoError

from standin import access

logger = logging.getLogger(__name__)

# Browsers hold a form's redirects to the policy, too: log-in leads from the lms to the cms and back.
_FORMS = f"'self' {settings.LMS_ROOT_URL} {settings.CMS_ROOT_URL}"
_IMAGES = " ".join(("'self'", *settings.THEME.image_origins))
POLICY = (
    "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; "
    f"form-action {_FORMS}; img-src {_IMAGES}"
)


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
        logger.error("%s: %s: %s", access.shown(request.path), type(exception).__name__, str(exception)[:200])
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "5"})
