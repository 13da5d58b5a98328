"""Pages that both variants have."""

import sys

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.cache import cache_control
from pymongo.errors import PyMongoError


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 if a data store failed outside a view, for example in the session."""
    unavailable = isinstance(sys.exc_info()[1], DatabaseError | PyMongoError)
    status = 503 if unavailable else 500
    return HttpResponse(render_to_string(f"{status}.html"), status=status)


@cache_control(public=True, immutable=True, max_age=365 * 86400)
def theme(request: HttpRequest) -> HttpResponse:
    """The stylesheet with the portal's colours. Pages request it by version, so it may be cached for ever."""
    return HttpResponse(settings.THEME.css, content_type="text/css; charset=utf-8")
