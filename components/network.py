"""A portal's networks, as config/portal/networks.py cuts them: inside ones without egress, ingress, egress."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_docker as docker
from pulumi import Alias, ComponentResource, Output, ResourceOptions

from components.creation_order import CreationOrder
from components.workload import identity
from config.portal.networks import Network
from config.values.networks import INGRESS

# Portals that were made with two networks have these in the same addresses: they make room first.
FORMER = {"data": "private", INGRESS: "egress"}
# The bridge itself gets no address, so the host is no neighbour: without this every port that the host opens on all of
# its addresses answers from inside. Names are resolved all the same, in the container's own network namespace.
# https://docs.docker.com/engine/network/drivers/bridge/#options
NO_HOST = {"com.docker.network.bridge.inhibit_ipv4": "true"}
# The way in is none out: what leaves unasked has an address that nobody beyond this host can answer.
NO_WAY_BACK = {"com.docker.network.bridge.enable_ip_masquerade": "false"}


@dataclass(frozen=True, kw_only=True)
class NetworksArgs:
    """`networks` by name, each with its subnet and whether anything leaves it (config/portal/networks.py).

    `order` has them made one after the other.
    """

    tenant: str
    order: CreationOrder
    networks: Mapping[str, Network]


class Networks(ComponentResource):
    """`<tenant>-<network>` each, on a subnet of its own; `names` has what the engine calls them."""

    names: Mapping[str, Output[str]]

    def __init__(self, name: str, args: NetworksArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("portal:index:Networks", name, None, opts)
        first = sorted(args.networks.values(), key=lambda network: network.name not in FORMER)
        self.names = {each.name: self._network(args, each) for each in first}
        self.register_outputs(dict(self.names))

    def _network(self, args: NetworksArgs, network: Network) -> Output[str]:
        former = FORMER.get(network.name)
        made = docker.Network(
            network.name,
            name=f"{args.tenant}-{network.name}",
            driver="bridge",
            internal=network.internal,
            options=NO_HOST if network.internal else NO_WAY_BACK if network.name == INGRESS else None,
            # Docker's own pools end at about 31 networks a host.
            # https://github.com/docker/for-linux/issues/599
            ipam_configs=[
                docker.NetworkIpamConfigArgs(subnet=str(network.subnet), gateway=str(network.subnet[1]))
            ],
            labels=[
                docker.NetworkLabelArgs(label=key, value=value)
                for key, value in sorted(identity(args.tenant, "support", f"network-{network.name}").items())
            ],
            opts=ResourceOptions.merge(
                args.order.options(self),
                ResourceOptions(aliases=[Alias(name=former)] if former else None),
            ),
        )
        args.order.created(made)
        return made.name
