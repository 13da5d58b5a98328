"""How Open edX reaches what its release has of data stores and forum, under Open edX's own key names.

A password is a marker (`secret`) that is filled in inside the container, in this layer alone.
"""

from typing import Any

from config.portal.routes import addresses
from config.tenant.tenant import Tenant

BROKER_USER = "edxapp"
BROKER_VHOST = "openedx"
# The user belongs to Open edX's database: that is where edx-platform authenticates, unless it is told otherwise, and up
# to Juniper whatever it is told.
MONGO_USER = "openedx"
MONGO_DATABASE = "openedx"
FORUM_DATABASE = "cs_comments_service"
# Elasticsearch's own first user; its password alone can be given to the public image without a tool.
SEARCH_USER = "elastic"


def secret(name: str) -> dict[str, str]:
    """The marker of a password: no text, so that no text of another layer can be one."""
    return {"secret": name}


def env(tenant: Tenant) -> dict[str, Any]:
    """Where they are."""
    services = tenant.services
    settings = {**_broker(tenant), **_meilisearch(tenant), "CACHES": {"default": _cache(tenant)}}
    if "forum" in services:
        settings["COMMENTS_SERVICE_URL"] = f"http://forum:{services['forum'].port}"
    return settings


def auth(tenant: Tenant) -> dict[str, Any]:
    """As whom Open edX comes, and with what password."""
    services = tenant.services
    settings: dict[str, Any] = (
        {"CELERY_BROKER_USER": BROKER_USER, "CELERY_BROKER_PASSWORD": secret("rabbitmq-password")}
        if "rabbitmq" in services
        else {"CELERY_BROKER_USER": "", "CELERY_BROKER_PASSWORD": secret("redis-password")}
    )
    if "memcached" not in services:
        settings["CACHES"] = {"default": {"OPTIONS": {"PASSWORD": secret("redis-password")}}}
    if "forum" in services:
        settings["COMMENTS_SERVICE_KEY"] = secret("forum-api-key")
    if "meilisearch" in services:
        settings["MEILISEARCH_API_KEY"] = secret("meilisearch-master-key")
    if "elasticsearch" in services:
        settings["ELASTIC_SEARCH_CONFIG"] = [
            {
                "host": "elasticsearch",
                "port": services["elasticsearch"].port,
                "http_auth": [SEARCH_USER, secret("search-password")],
            }
        ]
    return settings


def mysql_options(tenant: Tenant) -> dict[str, str]:
    """Texts are all of Unicode, and none is cut: but before version 5.7, whose indexes have no room for it."""
    major, minor = (int(each) for each in tenant.services["mysql"].version.split(".")[:2])
    charset = "utf8mb4" if (major, minor) >= (5, 7) else "utf8"
    return {"charset": charset, "init_command": "SET sql_mode='STRICT_TRANS_TABLES'"}


def mongo(tenant: Tenant) -> dict[str, Any]:
    """Where Open edX's database is in mongo, and as whom Open edX comes."""
    return {
        "host": "mongo",
        "port": tenant.services["mongo"].port,
        "db": MONGO_DATABASE,
        "user": MONGO_USER,
        "password": secret("mongo-password"),
        "collection": "modulestore",
    }


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


def _meilisearch(tenant: Tenant) -> dict[str, Any]:
    # In the place of elasticsearch, where the release has it.
    services = tenant.services
    if "meilisearch" not in services:
        return {}
    return {
        "SEARCH_ENGINE": "search.meilisearch.MeilisearchEngine",
        "MEILISEARCH_ENABLED": True,
        "MEILISEARCH_URL": f"http://meilisearch:{services['meilisearch'].port}",
        "MEILISEARCH_PUBLIC_URL": addresses(tenant)["meilisearch"],
        # One Meilisearch a portal, and still its own prefix: an index says whose it is.
        "MEILISEARCH_INDEX_PREFIX": f"{tenant.name}_",
    }
