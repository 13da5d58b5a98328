"""Django's settings: openedx-forum with its HTTP API, one caller that knows the key, JSON only."""

import os

from service import config

CONFIG = config.load(os.environ)

DEBUG = False
# It signs nothing, because there are no sessions and forms.
SECRET_KEY = CONFIG.api_key
# Only the portal's private network reaches it, under any name that its callers use.
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "service.urls"
APPEND_SLASH = False
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# `forum` has models for its MySQL backend, which refer to users. They are never used.
INSTALLED_APPS = ["service", "django.contrib.auth", "django.contrib.contenttypes", "forum"]
MIDDLEWARE = ["service.queries.without_idle_parameters"]
DATABASES: dict[str, dict[str, str]] = {}
FEATURES: dict[str, bool] = {}
# Posts are text; nothing is uploaded here.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

FORUM_ENABLE_HTTP_API = True
FORUM_SEARCH_BACKEND = "service.search.Backend"
FORUM_MONGODB_DATABASE = CONFIG.mongo_database
FORUM_ELASTIC_SEARCH_CONFIG = [
    {
        "host": CONFIG.search_host,
        "port": CONFIG.search_port,
        "http_auth": (CONFIG.search_user, CONFIG.search_password),
    }
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["service.auth.ApiKey"],
    "DEFAULT_PARSER_CLASSES": ["service.parsers.Form", "rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "service.errors.answer_for",
    "UNAUTHENTICATED_USER": None,
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "service": {"level": "INFO"},
        # openedx-forum logs each request for what is not there as an error.
        "forum": {"level": "CRITICAL"},
        "forum.search": {"level": "WARNING"},
        # This client logs each failed call with a traceback; the indexer logs it once.
        "elasticsearch": {"level": "CRITICAL"},
        "django.request": {"level": "ERROR"},
    },
}
