"""What gunicorn serves."""

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

application = get_wsgi_application()
# All of the code, before gunicorn forks: shared by its processes, and not for the first caller to wait for.
get_resolver().url_patterns  # noqa: B018
