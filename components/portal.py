"""The composition root: read it top to bottom and you know the system."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi_docker as docker
from pulumi import ComponentResource, Input, ResourceOptions

from components.creation_order import CreationOrder
from components.datastores import DataStores, DataStoresArgs
from components.edge import Edge, EdgeArgs
from components.foundation import Foundation
from components.mailer import Mailer, MailerArgs
from components.network import Networks, NetworksArgs
from components.openedx import OpenEdx, OpenEdxArgs
from components.ops import Ops, OpsArgs
from components.secrets import Secrets, SecretsArgs, names
from components.storage import Storage, StorageArgs
from config.portal import networks as portal_networks
from config.portal.image_sources import OPS, image_references
from config.portal.routes import addresses
from config.tenant.tenant import Tenant
from config.values import placement

# The storage-init job makes a few directories.
OPS_MEMORY_MIB = 64
# What the migrations bring up to date.
MIGRATED = ("mysql", "mongo", "elasticsearch", "meilisearch")


class Portal(ComponentResource):
    """Everything one client gets, on one engine."""

    facts: Mapping[str, Any]

    def __init__(
        self,
        tenant: Tenant,
        *,
        images: Path,
        owner: str = "",
        smarthost_password: Input[str] | None = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("portal:index:Portal", tenant.name, None, opts)
        # One provider, handed down: a portal's engine is the tenant's placement, not the caller's shell.
        engine = docker.Provider(
            "engine",
            # Said even where it is the shell's own: the SDK would take DOCKER_HOST as it is written, and each way of writing
            # the local socket would be a change.
            host=placement.address_of(tenant.placement.docker_host, os.environ),
            # The official plugin else asks the engine who it is before anything, even for a preview of the state alone.
            disable_docker_daemon_check=True,
            opts=ResourceOptions(parent=self),
        )
        child = ResourceOptions(parent=self, providers=[engine])
        references = image_references(tenant, images)

        order = CreationOrder()
        networks = Networks(
            "networks",
            NetworksArgs(tenant=tenant.name, order=order, networks=portal_networks.networks(tenant)),
            child,
        )
        storage = Storage(
            "storage",
            StorageArgs(
                tenant=tenant.name,
                owner=owner,
                root=tenant.storage.root,
                image=references[OPS],
                memory=OPS_MEMORY_MIB,
                target=tenant.wanted_release,
                before=tenant.predecessors,
                directories={
                    directory: service.owner(tenant.source(name))
                    for name, service in tenant.services.items()
                    for directory in service.data
                },
                order=order,
            ),
            child,
        )
        foundation = Foundation(
            tenant=tenant,
            images=references,
            networks=networks,
            storage=storage,
            secrets=Secrets("secrets", SecretsArgs(names=names(tenant.services, real=tenant.real)), child),
        )
        datastores = DataStores("datastores", DataStoresArgs(foundation=foundation), child)
        ops = Ops(
            "ops",
            OpsArgs(
                foundation=foundation,
                # Schemas, courses and the search index over them are brought up to date.
                after=tuple(datastores.services[each] for each in MIGRATED if each in datastores.services),
            ),
            child,
        )
        openedx = OpenEdx("openedx", OpenEdxArgs(foundation=foundation, after=(ops.migrations,)), child)
        mailer = Mailer(
            "mail", MailerArgs(foundation=foundation, smarthost_password=smarthost_password), child
        )
        edge = Edge("edge", EdgeArgs(foundation=foundation), child)

        services = {
            **datastores.services,
            **openedx.services,
            **mailer.services,
            "load-balancer": edge.load_balancer,
        }
        jobs = {"storage-init": storage.job, "edxapp-migrations": ops.migrations}
        self.facts = {
            "tenant": tenant.name,
            "release": tenant.release.name,
            "addresses": addresses(tenant),
            "services": {name: services[name].name for name in sorted(services)},
            "jobs": {name: jobs[name].name for name in sorted(jobs)},
            "networks": dict(networks.names),
            "directory": tenant.directory,
            "admin": {"email": tenant.admin.email, "username": tenant.admin.username},
            "admin_password": foundation.secrets.values["admin-password"],
        }
        self.register_outputs({"addresses": self.facts["addresses"], "directory": tenant.directory})
