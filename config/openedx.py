"""What a tenant's Open edX is configured with, under Open edX's own key names; passwords are not among it."""

import json
from typing import Any

from config.routes import addresses, base
from config.tenant import Tenant

BROKER_USER = "edxapp"
BROKER_VHOST = "openedx"
# database, user, the secret that holds its password
DATABASES = (("edxapp", "edxapp", "mysql-edxapp-password"),)
SECRETS = ("edxapp-secret-key", "mysql-edxapp-password", "rabbitmq-password", "redis-password")
FOLDER = "/openedx/config"


def settings(tenant: Tenant, variant: str, workers: int) -> dict[str, Any]:
    """The keys of `<variant>.env.json`, variant `lms` or `cms`. Names as in Open edX's settings.

    `workers` is how many processes the container runs: gunicorn's, or the Celery worker's concurrency.
    """
    services = tenant.release.services
    urls = addresses(tenant)
    mongo = {"host": "mongo", "port": services["mongo"].port, "db": "openedx"}
    return {
        "PLATFORM_NAME": tenant.title,
        "SITE_NAME": tenant.hosts.lms if variant == "lms" else tenant.hosts.cms,
        "LMS_BASE": base(tenant.hosts.lms, tenant.listen.port),
        "CMS_BASE": base(tenant.hosts.cms, tenant.listen.port),
        "LMS_ROOT_URL": urls["lms"],
        "CMS_ROOT_URL": urls["cms"],
        "CONTACT_EMAIL": tenant.admin.email,
        "LANGUAGE_CODE": "en",
        "TIME_ZONE": "UTC",
        "ALLOWED_HOSTS": [tenant.hosts.lms if variant == "lms" else tenant.hosts.cms, variant],
        "HTTPS": "off",
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.mysql",
                "NAME": "edxapp",
                "USER": "edxapp",
                "HOST": "mysql",
                "PORT": services["mysql"].port,
                "CONN_MAX_AGE": 60,
            }
        },
        "DOC_STORE_CONFIG": mongo,
        "CONTENTSTORE": mongo,
        "CACHES": {
            "default": {
                "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
                "LOCATION": [f"memcached:{services['memcached'].port}"],
                "KEY_PREFIX": tenant.name,
            }
        },
        "CELERY_BROKER_TRANSPORT": "amqp",
        "CELERY_BROKER_HOSTNAME": f"rabbitmq:{services['rabbitmq'].port}",
        "CELERY_BROKER_USER": BROKER_USER,
        "CELERY_BROKER_VHOST": BROKER_VHOST,
        "CELERY_RESULT_REDIS": {"host": "redis", "port": services["redis"].port, "db": 0},
        "ELASTIC_SEARCH_CONFIG": [{"host": "elasticsearch", "port": services["elasticsearch"].port}],
        "ALTERNATE_WORKER_QUEUES": "cms" if variant == "lms" else "lms",
        "MEDIA_ROOT": "/openedx/media",
        "MEDIA_URL": "/media/",
        "STATIC_ROOT": "/openedx/static",
        "STATIC_URL": "/static/",
        "LOG_DIR": "",
        "ADMIN": {"username": tenant.admin.username, "email": tenant.admin.email},
        "WORKERS": workers,
    }


def settings_files(tenant: Tenant, workers: int = 1) -> dict[str, str]:
    """Path → text of both variants' files: the migrations job reads the two."""
    return {
        f"{FOLDER}/{variant}.env.json": json.dumps(
            settings(tenant, variant, workers), indent=2, sort_keys=True
        )
        + "\n"
        for variant in ("lms", "cms")
    }


def forum_env(tenant: Tenant) -> dict[str, str]:
    """What the forum is told, by the names of its public images. Its database is its own."""
    services = tenant.release.services
    return {
        "MONGODB_DATABASE": "cs_comments_service",
        "MONGODB_HOST": "mongo",
        "MONGODB_PORT": str(services["mongo"].port),
        "SEARCH_SERVER": f"http://elasticsearch:{services['elasticsearch'].port}",
    }
