"""The WSGI application that gunicorn serves."""

import logging
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "standin.settings")
application = get_wsgi_application()
# Imports all views before gunicorn forks: its processes share them, and the first request need not wait for it.
get_resolver().url_patterns  # noqa: B018
for finding in settings.THEME.findings:
    logging.getLogger("standin.theme").warning("left out: %s", finding)
