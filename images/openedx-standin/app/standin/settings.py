"""Django's settings for the variant (lms or cms) that SERVICE_VARIANT names, from its settings files."""

import os

from standin import config, theme

VARIANT = os.environ["SERVICE_VARIANT"]
ENV = config.load(VARIANT, os.environ)
_studio = VARIANT == "cms"
_root_url = ENV[f"{VARIANT.upper()}_ROOT_URL"].rstrip("/")
_https = ENV.get("HTTPS") == "on"

DEBUG = False
SECRET_KEY = ENV["SECRET_KEY"]
ALLOWED_HOSTS = ENV["ALLOWED_HOSTS"]
ROOT_URLCONF = f"{VARIANT}.urls"
WSGI_APPLICATION = "standin.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PLATFORM_NAME = ENV["PLATFORM_NAME"]
PLATFORM_DESCRIPTION = ENV.get("PLATFORM_DESCRIPTION") or ""
CONTACT_EMAIL = ENV.get("CONTACT_EMAIL") or ""
THEME = theme.read(ENV)
LMS_ROOT_URL = ENV["LMS_ROOT_URL"].rstrip("/")
CMS_ROOT_URL = ENV["CMS_ROOT_URL"].rstrip("/")
ADMIN = ENV.get("ADMIN") or {}
LANGUAGE_CODE = ENV.get("LANGUAGE_CODE") or "en"
TIME_ZONE = ENV.get("TIME_ZONE") or "UTC"
USE_TZ = True

INSTALLED_APPS = [
    "standin",
    "accounts",
    "courses",
    "lms",
    "cms",
    # The lms lets people in to its clients; the cms is one.
    *(() if _studio else ("oauth2_provider",)),
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "standin.middleware.headers",
    "standin.middleware.StoreUnavailable",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "standin.context.portal",
            ]
        },
    }
]

# Data stores. Every wait has a limit in seconds, so that an unavailable store does not block a page for long.
_database = ENV["DATABASES"]["default"]
DATABASES = {
    "default": {
        **_database,
        "ENGINE": "standin.mysql",
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"charset": "utf8mb4", "connect_timeout": 3, "read_timeout": 6, "write_timeout": 6},
    }
}
DOC_STORE = ENV["DOC_STORE_CONFIG"]
ELASTIC_SEARCH_CONFIG = ENV["ELASTIC_SEARCH_CONFIG"]
_cache = ENV["CACHES"]["default"]
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
        "LOCATION": _cache["LOCATION"],
        "KEY_PREFIX": _cache.get("KEY_PREFIX") or "",
        # Without memcached every look-up misses, and sessions come from MySQL: slower, but nobody is logged out.
        "OPTIONS": {
            "ignore_exc": True,
            "connect_timeout": 0.5,
            "timeout": 1,
            "retry_attempts": 0,
            "dead_timeout": 5,
        },
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
_broker = ENV["CELERY_BROKER_HOSTNAME"].partition(":")
BROKER = {
    "hostname": _broker[0],
    "port": int(_broker[2] or 5672),
    "userid": ENV["CELERY_BROKER_USER"],
    "password": ENV["CELERY_BROKER_PASSWORD"],
    "virtual_host": ENV["CELERY_BROKER_VHOST"],
}
RESULTS = ENV["CELERY_RESULT_REDIS"]

# Accounts and cookies. lms and cms have different hosts: one user table, but separate sessions.
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "accounts.backend.EmailBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
_features = ENV.get("FEATURES") or {}
# As in Open edX: an account is active at once, without a mail.
SKIP_EMAIL_VALIDATION = _features.get("SKIP_EMAIL_VALIDATION") is True
DISCUSSION = _features.get("ENABLE_DISCUSSION_SERVICE") is not False
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home" if _studio else "dashboard"
LOGOUT_REDIRECT_URL = "home"
SESSION_COOKIE_NAME = "studio_session_id" if _studio else "sessionid"
CSRF_COOKIE_NAME = "studio_csrftoken" if _studio else "csrftoken"
SESSION_COOKIE_AGE = ENV.get("SESSION_COOKIE_AGE") or 14 * 86400
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True

# Log-in of the cms at the lms: the browser uses the public address, the cms the internal one.
SSO = {
    "client": ENV.get("SOCIAL_AUTH_EDX_OAUTH2_KEY") or "cms-sso",
    "secret": ENV.get("SOCIAL_AUTH_EDX_OAUTH2_SECRET") or "",
    "root": (ENV.get("SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT") or "http://lms:8000").rstrip("/"),
    "public_root": (ENV.get("SOCIAL_AUTH_EDX_OAUTH2_PUBLIC_URL_ROOT") or LMS_ROOT_URL).rstrip("/"),
    "redirect": f"{CMS_ROOT_URL}/complete/edx-oauth2/",
}
# A client's token lives an hour, and a session as long as at the pages; a code is exchanged at once.
OAUTH2_PROVIDER = {
    "SCOPES": {
        "read": "Read access",
        "write": "Write access",
        "email": "Your e-mail address",
        "profile": "Your name",
        "user_id": "Your number",
    },
    "DEFAULT_SCOPES": ["read", "write", "email", "profile"],
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "REFRESH_TOKEN_EXPIRE_SECONDS": SESSION_COOKIE_AGE,
    "PKCE_REQUIRED": True,
}

# Mail goes to the portal's mailer, from the lms's workers.
EMAIL_BACKEND = ENV.get("EMAIL_BACKEND") or "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = ENV.get("EMAIL_HOST") or "mailer"
EMAIL_PORT = ENV.get("EMAIL_PORT") or 8025
EMAIL_USE_TLS = ENV.get("EMAIL_USE_TLS") is True
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = (
    ENV.get("DEFAULT_FROM_EMAIL") or CONTACT_EMAIL or f"no-reply@{ENV['SITE_NAME'].partition(':')[0]}"
)
FORUM = {
    "url": (ENV.get("COMMENTS_SERVICE_URL") or "http://forum:4567").rstrip("/"),
    "key": ENV.get("COMMENTS_SERVICE_KEY") or "",
}

# All requests come through the load balancer, which sets this header.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
USE_X_FORWARDED_HOST = True
CSRF_TRUSTED_ORIGINS = [_root_url]
SECURE_REFERRER_POLICY = "same-origin"
# Browsers accept this header over https only, and warn otherwise.
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin" if _https else None
X_FRAME_OPTIONS = "DENY"

# Collected by the image's build, copied by lms-assets, served by nginx.
STATIC_URL = ENV.get("STATIC_URL") or "/static/"
STATIC_ROOT = ENV["STATIC_ROOT"]
MEDIA_ROOT = ENV.get("MEDIA_ROOT") or "/openedx/media"
MEDIA_URL = ENV.get("MEDIA_URL") or "/media/"
# nginx runs as another user.
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o644, 0o755
FILE_UPLOAD_HANDLERS = ["cms.uploads.Bounded"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "standin.storage.BuiltStaticFiles"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"failures": {"()": "standin.logs.Failures"}, "masked": {"()": "standin.logs.Masked"}},
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "line",
            "filters": ["masked"],
        },
        "none": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stdout"], "level": "INFO"},
    "loggers": {
        # A wrong host is answered 400 with a line in the access log, without a traceback.
        "django.security.DisallowedHost": {"handlers": ["none"], "propagate": False},
        "django": {"level": "INFO"},
        "django.request": {"filters": ["failures"]},
        "elasticsearch": {"level": "ERROR"},
    },
}
