"""Pages that both variants have."""

import sys

from django.db import Error as DatabaseError
from django.http import HttpResponse
from django.template.loader import render_to_string
from pymongo.errors import PyMongoError


def server_error(request):
    """500; or 503 where a data store's absence was met outside of a view, such as in the session."""
    away = isinstance(sys.exc_info()[1], DatabaseError | PyMongoError)
    status = 503 if away else 500
    return HttpResponse(render_to_string(f"{status}.html"), status=status)
