"""A portal's two networks: one without a way out for everything, one with it for the few that need it."""

from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi_docker as docker
from pulumi import ComponentResource, Output, ResourceOptions

from components.turns import Turns
from components.workload import identity


@dataclass(frozen=True, kw_only=True)
class NetworksArgs:
    tenant: str
    turns: Turns
    private: IPv4Network
    egress: IPv4Network


class Networks(ComponentResource):
    """`<tenant>-private` (internal) and `<tenant>-egress`, each on a subnet of its own."""

    private: Output[str]
    egress: Output[str]

    def __init__(self, name: str, args: NetworksArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("portal:index:Networks", name, None, opts)
        self.private = self._network(args, "private", args.private, internal=True)
        self.egress = self._network(args, "egress", args.egress, internal=False)
        self.register_outputs({"private": self.private, "egress": self.egress})

    def _network(self, args: NetworksArgs, kind: str, subnet: IPv4Network, *, internal: bool) -> Output[str]:
        made = docker.Network(
            kind,
            name=f"{args.tenant}-{kind}",
            driver="bridge",
            internal=internal,
            # Docker's own pools end at about 31 networks a host.
            # https://github.com/docker/for-linux/issues/599
            ipam_configs=[docker.NetworkIpamConfigArgs(subnet=str(subnet), gateway=str(subnet[1]))],
            labels=[
                docker.NetworkLabelArgs(label=key, value=value)
                for key, value in sorted(identity(args.tenant, "support", f"network-{kind}").items())
            ],
            opts=args.turns.options(self),
        )
        args.turns.took(made)
        return made.name
