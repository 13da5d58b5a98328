"""The portal's data stores: of elasticsearch, meilisearch, memcached, mongo, mysql, rabbitmq, redis those it has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi import ComponentResource, ResourceOptions

from components.foundation import Foundation
from components.service import Service
from config.portal.openedx import DATABASES
from config.portal.stores import BROKER_USER, BROKER_VHOST, FORUM_DATABASE, MONGO_DATABASE, MONGO_USER


@dataclass(frozen=True, kw_only=True)
class DataStoresArgs:
    """`foundation` says which stores the tenant's release has, and with which images."""

    foundation: Foundation


class DataStores(ComponentResource):
    """Each alone with its directory on the drive; none publishes a port."""

    def __init__(self, name: str, args: DataStoresArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("portal:index:DataStores", name, None, opts)
        base = args.foundation
        child = ResourceOptions(parent=self)
        self.services: Mapping[str, Service] = {
            each: Service(each, base.service(each, **more(base)), child)
            for each, more in STORES.items()
            if each in base.tenant.services
        }
        self.register_outputs({})


def _mysql(base: Foundation) -> dict[str, Any]:
    user = base.tenant.services["mysql"].owner(base.tenant.source("mysql"))
    return {
        "files": {"/portal/config/databases": "".join(f"{' '.join(each)}\n" for each in DATABASES)},
        "secrets": base.secrets.files("mysql-root-password", *(secret for _, _, secret in DATABASES)),
        "volumes": (base.storage.mount("mysql", "/data"),),
        "tmpfs": {"/run/mysqld": f"mode=0755,size=4m,uid={user},gid={user}"},
    }


def _mongo(base: Foundation) -> dict[str, Any]:
    return {
        "env": {
            "MONGO_AUTH_DATABASE": MONGO_DATABASE,
            "MONGO_FORUM_DATABASE": FORUM_DATABASE,
            "MONGO_USER": MONGO_USER,
        },
        "secrets": base.secrets.files("mongo-password"),
        "volumes": (base.storage.mount("mongo", "/data"),),
    }


def _redis(base: Foundation) -> dict[str, Any]:
    return {
        "secrets": base.secrets.files("redis-password"),
        "volumes": (base.storage.mount("redis", "/data"),),
    }


def _memcached(base: Foundation) -> dict[str, Any]:
    return {}


def _rabbitmq(base: Foundation) -> dict[str, Any]:
    return {
        # Its data directory is named after the node, the node after the host: without a fixed name
        # a re-created container starts with no queue.
        "hostname": "rabbitmq",
        "env": {"RABBITMQ_USER": BROKER_USER, "RABBITMQ_VHOST": BROKER_VHOST},
        "secrets": base.secrets.files("rabbitmq-password"),
        "volumes": (base.storage.mount("rabbitmq", "/data"),),
    }


def _elasticsearch(base: Foundation) -> dict[str, Any]:
    return {
        "secrets": base.secrets.files("search-password"),
        "volumes": (base.storage.mount("elasticsearch", "/data"),),
    }


def _meilisearch(base: Foundation) -> dict[str, Any]:
    return {
        "secrets": base.secrets.files("meilisearch-master-key"),
        "volumes": (base.storage.mount("meilisearch", "/data"),),
    }


# What each adds to what the release says of it.
STORES: Mapping[str, Callable[[Foundation], dict[str, Any]]] = {
    "mysql": _mysql,
    "mongo": _mongo,
    "redis": _redis,
    "memcached": _memcached,
    "rabbitmq": _rabbitmq,
    "elasticsearch": _elasticsearch,
    "meilisearch": _meilisearch,
}
