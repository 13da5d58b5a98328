"""How Open edX reaches what its release has of data stores and forum, under Open edX's own key names.

A text `secret:NAME` is a password that is filled in inside the container.
"""

from typing import Any

from config.routes import addresses
from config.tenant import Tenant

BROKER_USER = "edxapp"
BROKER_VHOST = "openedx"


def env(tenant: Tenant) -> dict[str, Any]:
    """Where they are."""
    services = tenant.services
    told = {**_broker(tenant), **_search(tenant), "CACHES": {"default": _cache(tenant)}}
    if "forum" in services:
        told["COMMENTS_SERVICE_URL"] = f"http://forum:{services['forum'].port}"
    return told


def auth(tenant: Tenant) -> dict[str, Any]:
    """As whom Open edX comes, and with what password."""
    services = tenant.services
    told: dict[str, Any] = (
        {"CELERY_BROKER_USER": BROKER_USER, "CELERY_BROKER_PASSWORD": "secret:rabbitmq-password"}
        if "rabbitmq" in services
        else {"CELERY_BROKER_USER": "", "CELERY_BROKER_PASSWORD": "secret:redis-password"}
    )
    if "memcached" not in services:
        told["CACHES"] = {"default": {"OPTIONS": {"PASSWORD": "secret:redis-password"}}}
    if "forum" in services:
        told["COMMENTS_SERVICE_KEY"] = "secret:forum-api-key"
    if "meilisearch" in services:
        told["MEILISEARCH_API_KEY"] = "secret:meilisearch-master-key"
    return told


def _cache(tenant: Tenant) -> dict[str, Any]:
    # memcached, or redis where the release has no memcached.
    services = tenant.services
    store = "memcached" if "memcached" in services else "redis"
    address = f"{store}:{services[store].port}"
    return {
        "BACKEND": tenant.release.cache,
        "LOCATION": [address] if store == "memcached" else f"redis://{address}/1",
        "KEY_PREFIX": tenant.name,
    }


def _broker(tenant: Tenant) -> dict[str, Any]:
    # rabbitmq, or redis where the release has no rabbitmq.
    services = tenant.services
    queue = "rabbitmq" if "rabbitmq" in services else "redis"
    return {
        "CELERY_BROKER_TRANSPORT": "amqp" if queue == "rabbitmq" else "redis",
        "CELERY_BROKER_HOSTNAME": f"{queue}:{services[queue].port}",
        "CELERY_BROKER_VHOST": BROKER_VHOST if queue == "rabbitmq" else "0",
    }


def _search(tenant: Tenant) -> dict[str, Any]:
    services = tenant.services
    if "elasticsearch" in services:
        return {"ELASTIC_SEARCH_CONFIG": [{"host": "elasticsearch", "port": services["elasticsearch"].port}]}
    return {
        "SEARCH_ENGINE": "search.meilisearch.MeilisearchEngine",
        "MEILISEARCH_ENABLED": True,
        "MEILISEARCH_URL": f"http://meilisearch:{services['meilisearch'].port}",
        "MEILISEARCH_PUBLIC_URL": addresses(tenant)["meilisearch"],
        # One Meilisearch a portal, and still its own prefix: an index says whose it is.
        "MEILISEARCH_INDEX_PREFIX": f"{tenant.name}_",
    }
