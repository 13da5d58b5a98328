"""What a portal's Open edX is configured with: three layers of the four that the container lays over each other.

release and tenant are variables by openedx/configuration's names; then come the overrides that the portal's own admins
write; protected comes last and is settings by Open edX's own key names: hosts, stores, keys. Passwords stand in none:
a marker in the protected layer is replaced in the container.
"""

import json
from typing import Any

from config.portal import front_ends, stores
from config.portal.routes import addresses, host_and_port, preview
from config.portal.stores import secret
from config.tenant.tenant import Tenant

# database, user, the secret that holds its password
DATABASES = (("edxapp", "edxapp", "mysql-edxapp-password"),)
SECRETS = (
    "cms-sso-secret",
    "edxapp-secret-key",
    "forum-api-key",
    "jwt-signing-seed",
    "meilisearch-master-key",
    "mongo-password",
    "mysql-edxapp-password",
    "rabbitmq-password",
    "redis-password",
    "search-password",
)
FORUM_SECRETS = ("forum-api-key", "mongo-password", "search-password")
FOLDER = "/portal/config"
VARIANTS = ("lms", "cms")
SSO_CLIENT = "cms-sso"


def release_variables(tenant: Tenant) -> dict[str, Any]:
    """What follows from the release: features of services that it has or has not."""
    services = tenant.services
    return {
        "EDXAPP_FEATURES": {
            # The answers' second history, for which a portal has no second database.
            "ENABLE_CSMH_EXTENDED": False,
            "ENABLE_DISCUSSION_SERVICE": "forum" in services,
            # An account would wait for ever for a mail that nobody can send.
            "SKIP_EMAIL_VALIDATION": "mailer" not in services,
            # The host at which authors see what is not published yet.
            "PREVIEW_LMS_BASE": host_and_port(preview(tenant), tenant.listen.port),
            **front_ends.features(tenant),
        },
        **(
            {"EDXAPP_ENV_EXTRA": front_end_settings}
            if (front_end_settings := front_ends.settings(tenant))
            else {}
        ),
    }


def tenant_variables(tenant: Tenant) -> dict[str, Any]:
    """What the tenant's file says; its admins may say otherwise of what they may set at all."""
    needed = front_ends.settings(tenant)
    # A list of the tenant's own has more entries, and takes none away that the front ends need.
    settings = {
        name: [*needed[name], *value]
        if isinstance(value, list) and isinstance(needed.get(name), list)
        else value
        for name, value in tenant.settings.items()
    }
    own = {"EDXAPP_FEATURES": dict(tenant.features), "EDXAPP_ENV_EXTRA": settings}
    return {
        "EDXAPP_PLATFORM_NAME": tenant.title,
        "EDXAPP_CONTACT_EMAIL": tenant.admin.email,
        **{name: value for name, value in own.items() if value},
    }


def protected_env(tenant: Tenant, variant: str) -> dict[str, Any]:
    """The settings of `<variant>.env.json` that are the operator's alone."""
    services = tenant.services
    urls = addresses(tenant)
    host = tenant.hosts.lms if variant == "lms" else tenant.hosts.cms
    shared = front_ends.cookie_domain(tenant) if variant == "lms" else ""
    own = [preview(tenant)] if variant == "lms" and tenant.real else []
    return {
        "ADMIN": {"username": tenant.admin.username, "email": tenant.admin.email},
        "ALLOWED_HOSTS": [host, variant, *own],
        "ALTERNATE_WORKER_QUEUES": "cms" if variant == "lms" else "lms",
        **stores.env(tenant),
        "CMS_BASE": host_and_port(tenant.hosts.cms, tenant.listen.port),
        "CMS_ROOT_URL": urls["cms"],
        "DEFAULT_FROM_EMAIL": f"no-reply@{tenant.sender_domains[0]}",
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": "mailer",
        "EMAIL_PORT": services["mailer"].port,
        "EMAIL_USE_TLS": False,
        "HTTPS": "off",
        # Who logs out of the lms is logged out of the cms.
        "IDA_LOGOUT_URI_LIST": [f"{urls['cms']}/logout/"] if variant == "lms" else [],
        "LMS_BASE": host_and_port(tenant.hosts.lms, tenant.listen.port),
        # From one container to the other, not by the load balancer.
        "LMS_INTERNAL_ROOT_URL": f"http://lms:{services['lms'].port}",
        "LMS_ROOT_URL": urls["lms"],
        "LOG_DIR": "",
        "MEDIA_ROOT": "/openedx/media",
        "MEDIA_URL": "/media/",
        "OAUTH_OIDC_ISSUER": f"{urls['lms']}/oauth2",
        # The front ends read who is logged in from a cookie of the lms's domain.
        **({"SHARED_COOKIE_DOMAIN": shared} if shared else {}),
        # What mails link to: with its port where browsers need it.
        "SITE_NAME": host_and_port(host, tenant.listen.port),
        "SOCIAL_AUTH_EDX_OAUTH2_KEY": SSO_CLIENT,
        "SOCIAL_AUTH_EDX_OAUTH2_PUBLIC_URL_ROOT": urls["lms"],
        # The cms asks to be led back to the scheme that it was called by; edx-platform's own choice is HTTPS.
        "SOCIAL_AUTH_REDIRECT_IS_HTTPS": False,
        "SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT": f"http://lms:{services['lms'].port}",
        "STATIC_ROOT": "/openedx/static",
        "STATIC_URL": "/static/",
    }


def protected_auth(tenant: Tenant) -> dict[str, Any]:
    """The settings of `<variant>.auth.json`."""
    services = tenant.services
    return {
        **stores.auth(tenant),
        "CELERY_RESULT_REDIS": {
            "host": "redis",
            "port": services["redis"].port,
            "db": 0,
            "password": secret("redis-password"),
        },
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.mysql",
                "NAME": "edxapp",
                "USER": "edxapp",
                "PASSWORD": secret("mysql-edxapp-password"),
                "HOST": "mysql",
                "PORT": services["mysql"].port,
                "CONN_MAX_AGE": 60,
                "OPTIONS": stores.mysql_options(tenant),
            }
        },
        "DOC_STORE_CONFIG": stores.mongo(tenant),
        "JWT_SIGNING_SEED": secret("jwt-signing-seed"),
        "SECRET_KEY": secret("edxapp-secret-key"),
        "SOCIAL_AUTH_EDX_OAUTH2_SECRET": secret("cms-sso-secret"),
    }


def settings_files(tenant: Tenant) -> dict[str, str]:
    """Path → text of the layers: JSON, read as JSON. The same text for the same tenant."""
    layers = {
        "release.json": release_variables(tenant),
        "tenant.json": tenant_variables(tenant),
        "protected.json": {
            "env": {variant: protected_env(tenant, variant) for variant in VARIANTS},
            "auth": {variant: protected_auth(tenant) for variant in VARIANTS},
        },
    }
    return {
        # As it is written, for whoever reads a preview.
        f"{FOLDER}/{name}": json.dumps(layer, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        for name, layer in layers.items()
    }


def forum_env(tenant: Tenant) -> dict[str, str]:
    """What the forum is told, by the names of its public images. Its database is its own."""
    services = tenant.services
    return {
        "MONGODB_AUTH_DATABASE": stores.MONGO_DATABASE,
        "MONGODB_DATABASE": stores.FORUM_DATABASE,
        "MONGODB_HOST": "mongo",
        "MONGODB_PORT": str(services["mongo"].port),
        "MONGODB_USERNAME": stores.MONGO_USER,
        "SEARCH_SERVER": f"http://elasticsearch:{services['elasticsearch'].port}",
        "SEARCH_USERNAME": stores.SEARCH_USER,
    }
