"""Pages that both variants have."""

import sys

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.cache import cache_control
from pymongo.errors import PyMongoError


def server_error(request):
    """500; or 503 where a data store's absence was met outside of a view, such as in the session."""
    away = isinstance(sys.exc_info()[1], DatabaseError | PyMongoError)
    status = 503 if away else 500
    return HttpResponse(render_to_string(f"{status}.html"), status=status)


@cache_control(public=True, immutable=True, max_age=365 * 86400)
def theme(request):
    """The portal's colours. A page asks for them by their version, so that they are never stale."""
    return HttpResponse(settings.THEME.css, content_type="text/css; charset=utf-8")
