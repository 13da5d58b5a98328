"""The WSGI application that gunicorn serves."""

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

application = get_wsgi_application()
# Imports all views before gunicorn forks: its processes share them, and the first request need not wait for it.
get_resolver().url_patterns  # noqa: B018
