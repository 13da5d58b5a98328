"""Django's settings: openedx-forum, its HTTP API switched on, one caller that knows the key, JSON alone."""

import os

from service import config

CONFIG = config.load(os.environ)

DEBUG = False
# Signs nothing: there are no sessions and no forms.
SECRET_KEY = CONFIG.api_key
# Reached in the portal's private network alone, under whatever name its callers use.
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "service.urls"
APPEND_SLASH = False
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# `forum` has models for its MySQL backend, and those refer to users. Nothing of it is ever asked.
INSTALLED_APPS = ["service", "django.contrib.auth", "django.contrib.contenttypes", "forum"]
MIDDLEWARE = ["service.queries.sorted_out"]
DATABASES: dict[str, dict[str, str]] = {}
FEATURES: dict[str, bool] = {}
# A post of Open edX is text; nothing is uploaded here.
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
    "EXCEPTION_HANDLER": "service.errors.answer",
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
        # A client that logs each failed call with a traceback; the keeper says it once.
        "elasticsearch": {"level": "CRITICAL"},
        "django.request": {"level": "ERROR"},
    },
}
