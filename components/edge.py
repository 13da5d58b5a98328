"""The way in: the portal's load balancer, which routes by host name."""

from dataclasses import dataclass

from pulumi import ComponentResource, ResourceOptions

from components.foundation import Foundation
from components.service import Port, Service, ServiceArgs
from config.portal.routes import LISTEN_PORT, caddyfile, nginx_sites, routes


@dataclass(frozen=True, kw_only=True)
class EdgeArgs:
    """`foundation` has the tenant, whose `listen` is the one address and port that are published."""

    foundation: Foundation


class Edge(ComponentResource):
    """nginx, which takes requests whole, and Caddy: the only container of a portal that publishes a port."""

    def __init__(self, name: str, args: EdgeArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("portal:index:Edge", name, None, opts)
        base, tenant = args.foundation, args.foundation.tenant
        ways = routes(tenant)
        args_of_service = base.workload_args(
            "load-balancer",
            files={
                "/portal/config/Caddyfile": caddyfile(ways),
                "/portal/config/sites.conf": nginx_sites(ways),
            },
        )
        self.load_balancer = Service(
            "load-balancer",
            ServiceArgs(
                **args_of_service,
                ports=(
                    Port(address=tenant.listen.address, external=tenant.listen.port, internal=LISTEN_PORT),
                ),
                after=(base.storage,),
            ),
            ResourceOptions(parent=self),
        )
        self.register_outputs({})
