"""What gunicorn serves."""

import logging
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "standin.settings")
application = get_wsgi_application()
# All pages' code, before gunicorn forks: shared by its processes, and not for the first visitor to wait for.
get_resolver().url_patterns  # noqa: B018
for finding in settings.THEME.findings:
    logging.getLogger("standin.theme").warning("left out: %s", finding)
