"""Headers of each answer, and a page for the time that a data store is unavailable."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from pymongo.errors import PyMongoError

from standin import access

GetResponse = Callable[[HttpRequest], HttpResponse]
logger = logging.getLogger(__name__)

# Browsers apply form-action to redirects of forms, too, and log-in leads from the lms to the cms and back.
_FORMS = f"'self' {settings.LMS_ROOT_URL} {settings.CMS_ROOT_URL}"
_IMAGES = " ".join(("'self'", *settings.THEME.image_origins))
POLICY = (
    "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; "
    f"form-action {_FORMS}; img-src {_IMAGES}"
)


def headers(get_response: GetResponse) -> GetResponse:
    """Add security headers that Django has no setting for, and a header that names the stand-in."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers["X-Stands-In-For"] = "edx-platform"
        return response

    return middleware


class StoreUnavailable:
    """Answers 503 with one log line if MySQL or Mongo does not answer, and not 500 with a traceback."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """503 for an exception of a store; None for any other."""
        if not isinstance(exception, DatabaseError | PyMongoError):
            return None
        logger.error(
            "%s: %s: %s", access.route_of(request.path), type(exception).__name__, str(exception)[:200]
        )
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "5"})
