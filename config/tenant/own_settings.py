"""Open edX's own features and settings in a tenant's file: any but those that the program makes itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from config.reading.nodes import Node, Scalar, Section, Series, join
from config.reading.words import quoted

if TYPE_CHECKING:
    from config.reading.keys import Reading

KEYS = ("features", "settings")
NAME = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
EXAMPLES = {"features": "ENABLE_MOBILE_REST_API: true", "settings": "LOGIN_REDIRECT_WHITELIST: [acme.com]"}
# The settings of the protected layer, of whatever release. tests/unit/config/tenant/test_own_settings.py holds them to it.
PROTECTED_LAYER = frozenset(
    (
        "ADMIN",
        "ALLOWED_HOSTS",
        "ALTERNATE_WORKER_QUEUES",
        "CACHES",
        "CELERY_BROKER_HOSTNAME",
        "CELERY_BROKER_PASSWORD",
        "CELERY_BROKER_TRANSPORT",
        "CELERY_BROKER_USER",
        "CELERY_BROKER_VHOST",
        "CELERY_RESULT_REDIS",
        "CMS_BASE",
        "CMS_ROOT_URL",
        "COMMENTS_SERVICE_KEY",
        "COMMENTS_SERVICE_URL",
        "DATABASES",
        "DEFAULT_FROM_EMAIL",
        "DOC_STORE_CONFIG",
        "ELASTIC_SEARCH_CONFIG",
        "EMAIL_BACKEND",
        "EMAIL_HOST",
        "EMAIL_PORT",
        "EMAIL_USE_TLS",
        "HTTPS",
        "IDA_LOGOUT_URI_LIST",
        "JWT_SIGNING_SEED",
        "LMS_BASE",
        "LMS_INTERNAL_ROOT_URL",
        "LMS_ROOT_URL",
        "LOG_DIR",
        "MEDIA_ROOT",
        "MEDIA_URL",
        "MEILISEARCH_API_KEY",
        "MEILISEARCH_ENABLED",
        "MEILISEARCH_INDEX_PREFIX",
        "MEILISEARCH_PUBLIC_URL",
        "MEILISEARCH_URL",
        "OAUTH_OIDC_ISSUER",
        "SEARCH_ENGINE",
        "SECRET_KEY",
        "SHARED_COOKIE_DOMAIN",
        "SITE_NAME",
        "SOCIAL_AUTH_EDX_OAUTH2_KEY",
        "SOCIAL_AUTH_EDX_OAUTH2_PUBLIC_URL_ROOT",
        "SOCIAL_AUTH_EDX_OAUTH2_SECRET",
        "SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT",
        "SOCIAL_AUTH_REDIRECT_IS_HTTPS",
        "STATIC_ROOT",
        "STATIC_URL",
    )
)
# What the settings module of the real Open edX makes whatever a file says (images/openedx/portal_settings).
SETTINGS_MODULE = frozenset(
    (
        "CELERYD_HIJACK_ROOT_LOGGER",
        "CELERY_RESULT_BACKEND",
        "CODE_JAIL",
        "CONTENTSTORE",
        "COURSES_WITH_UNSAFE_CODE",
        "CSRF_COOKIE_SECURE",
        "DATABASE_ROUTERS",
        "DATA_DIR",
        "DJFS",
        "EMAIL_FILE_PATH",
        "FINANCIAL_REPORTS",
        "GITHUB_REPO_ROOT",
        "GIT_REPO_DIR",
        "GIT_REPO_EXPORT_DIR",
        "GRADES_DOWNLOAD",
        "HOSTNAME_MODULESTORE_DEFAULT_MAPPINGS",
        "INSTALLED_APPS",
        "LOGGING",
        "MIDDLEWARE",
        "MODULESTORE",
        "MODULESTORE_BRANCH",
        "OAUTH_ENFORCE_CLIENT_SECURE",
        "OAUTH_ENFORCE_SECURE",
        "ORA2_FILEUPLOAD_BACKEND",
        "ORA2_FILEUPLOAD_CACHE_NAME",
        "ORA2_FILEUPLOAD_ROOT",
        "PROFILE_IMAGE_BACKEND",
        "SESSION_COOKIE_SECURE",
        "SESSION_ENGINE",
        "STATIC_ROOT_BASE",
        "TRACKING_IGNORE_URL_PATTERNS",
        "VIDEO_IMAGE_SETTINGS",
        "VIDEO_TRANSCRIPTS_SETTINGS",
        "WEBPACK_LOADER",
    )
)
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}")


def read(reading: Reading, root: Section, key: str) -> dict[str, Any]:
    """The values below `key`, as JSON has them; what is wrong with them is among the findings."""
    node = root.items.get(key)
    section = reading.section(node, key, EXAMPLES[key]) if node else None
    values = {}
    for name, inner in (section.items if section else {}).items():
        path = join(key, name)
        reading.lines[path] = inner.line
        try:
            _named(key, name)
            if key == "features" and isinstance(inner, Scalar) and inner.kind == "nothing":
                raise ValueError("found nothing, expected true or false")
            values[name] = _value(inner)
        except ValueError as error:
            reading.wrong(path, str(error))
    return values


def _named(key: str, name: str) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(
            f"is not a name of Open edX, expected capital letters, for example '{EXAMPLES[key]}'"
        )
    if key == "settings" and name == "FEATURES":
        raise ValueError("has its own key, expected below 'features'")
    if key == "settings" and name in PROTECTED_LAYER | SETTINGS_MODULE:
        raise ValueError("is set by the program, expected nothing: remove it")


def _value(node: Node) -> Any:
    if isinstance(node, Section):
        return {name: _value(inner) for name, inner in node.items.items()}
    if isinstance(node, Series):
        return [_value(each) for each in node.items]
    if node.kind in ("text", "refused"):
        # What was refused has been told.
        return node.text
    return _scalar(node)


def _scalar(node: Scalar) -> Any:
    """Only what every reader takes for the same: not `yes`, `010`, `1e5` or a date."""
    if node.kind == "truth value" and node.text in ("true", "false"):
        return node.text == "true"
    if node.kind == "nothing" and node.text == "null":
        return None
    if node.kind == "number" and _WHOLE.fullmatch(node.text):
        return int(node.text)
    if node.kind == "number" and _DECIMAL.fullmatch(node.text):
        return float(node.text)
    hint = f"text in quotes ({quoted(node.text)}), " if node.text else ""
    raise ValueError(f"found {node}, expected {hint}true, false, null or a number in plain digits")
