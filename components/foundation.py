"""What every service and job of a portal stands on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.network import Networks
from components.public_image import public_image_args
from components.secrets import Secrets
from components.service import ServiceArgs
from components.storage import Storage
from components.workload import Attachment, Startable
from config.portal.networks import networks
from config.tenant.tenant import Tenant


@dataclass(frozen=True, kw_only=True)
class Foundation:
    """The tenant, its networks, storage and secrets, and the references of its images by service."""

    tenant: Tenant
    images: Mapping[str, str]
    networks: Networks
    storage: Storage
    secrets: Secrets

    def service(self, name: str, after: tuple[Startable, ...] = (), **more: Any) -> ServiceArgs:
        """The arguments of the release's service `name`; `more` says what its own component adds."""
        start = self.tenant.services[name].start_seconds(self.tenant.source(name))
        return ServiceArgs(
            after=(self.storage, *after), start_seconds=start, **self.workload_args(name, **more)
        )

    def attached(self, container: str) -> tuple[Attachment, ...]:
        """The networks that a container is on, by name: in any other order the plugins see a change in each preview."""
        return tuple(
            Attachment(network=self.networks.names[name], aliases=network.members[container])
            for name, network in sorted(networks(self.tenant).items())
            if container in network.members
        )

    def workload_args(self, name: str, **more: Any) -> dict[str, Any]:
        """What release, tenant and its own component (`more`) say of a service, as arguments of its workload."""
        own = {**self.common_args(name), **more}
        if self.tenant.source(name) != "hub":
            return own
        return public_image_args(own, self.tenant.services[name].hub)

    def common_args(self, name: str) -> dict[str, Any]:
        """What the release and the tenant's sizes say of a service, whatever its image."""
        service = self.tenant.services[name]
        return {
            "tenant": self.tenant.name,
            "group": service.group,
            "image": self.images[name],
            "user": service.owner(self.tenant.source(name)),
            "memory": self.tenant.sizes[name].memory,
            "grace_seconds": service.grace_seconds,
            "networks": self.attached(name),
        }
