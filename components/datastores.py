"""The portal's data stores: elasticsearch, memcached, mongo, mysql, rabbitmq, redis."""

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import ComponentResource, ResourceOptions

from components.foundation import Foundation
from components.service import Service
from config.openedx import BROKER_USER, BROKER_VHOST, DATABASES


@dataclass(frozen=True, kw_only=True)
class DataStoresArgs:
    foundation: Foundation


class DataStores(ComponentResource):
    """Each alone with its directory on the drive; none publishes a port."""

    def __init__(self, name: str, args: DataStoresArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("portal:index:DataStores", name, None, opts)
        base, secrets, storage = args.foundation, args.foundation.secrets, args.foundation.storage
        child = ResourceOptions(parent=self)
        self.mysql = Service(
            "mysql",
            base.service(
                "mysql",
                files={"/portal/config/databases": "".join(f"{' '.join(each)}\n" for each in DATABASES)},
                secrets=secrets.files("mysql-root-password", *(secret for _, _, secret in DATABASES)),
                volumes=(storage.mount("mysql", "/data"),),
                tmpfs={"/run/mysqld": "mode=0755,size=4m,uid=1999,gid=1999"},
            ),
            child,
        )
        self.mongo = Service(
            "mongo", base.service("mongo", volumes=(storage.mount("mongo", "/data"),)), child
        )
        self.redis = Service(
            "redis",
            base.service(
                "redis", secrets=secrets.files("redis-password"), volumes=(storage.mount("redis", "/data"),)
            ),
            child,
        )
        self.memcached = Service("memcached", base.service("memcached"), child)
        self.rabbitmq = Service(
            "rabbitmq",
            base.service(
                "rabbitmq",
                # Its data directory is named after the node, the node after the host: without a fixed name
                # a re-created container starts with no queue.
                hostname="rabbitmq",
                env={"RABBITMQ_USER": BROKER_USER, "RABBITMQ_VHOST": BROKER_VHOST},
                secrets=secrets.files("rabbitmq-password"),
                volumes=(storage.mount("rabbitmq", "/data"),),
            ),
            child,
        )
        self.elasticsearch = Service(
            "elasticsearch",
            base.service("elasticsearch", volumes=(storage.mount("elasticsearch", "/data"),)),
            child,
        )
        self.services: Mapping[str, Service] = {
            "elasticsearch": self.elasticsearch,
            "memcached": self.memcached,
            "mongo": self.mongo,
            "mysql": self.mysql,
            "rabbitmq": self.rabbitmq,
            "redis": self.redis,
        }
        self.register_outputs({})
