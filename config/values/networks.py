"""The names of a portal's networks, and each one's part of the tenant's subnet."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from types import MappingProxyType

INGRESS, EGRESS = "ingress", "egress"
# Each network's place in a tenant's /24, for good: a place that moves replaces every container of every portal. In
# thirty-seconds of it (8 addresses), with the prefix length. 192 to 223 are free, for what joins several portals' load
# balancers, for add-ons, for an overlay.
SUBNET_OFFSETS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "front": (0, 27),
        "mail": (4, 27),
        "data": (8, 27),
        "cache": (12, 27),
        "documents": (16, 27),
        "search": (20, 27),
        INGRESS: (28, 28),
        EGRESS: (30, 28),
    }
)
# The networks on which services answer each other; the two others are ways in and out.
INSIDE = tuple(each for each in SUBNET_OFFSETS if each not in (INGRESS, EGRESS))
# Services of different callers share these, each for a reason: pages are for everybody who can open the portal, and
# where mails go in they are taken from the senders' addresses alone.
MIXED = frozenset(("front", "mail"))
# That of portals that have not been brought up since they have several.
FORMERLY_ONE = "private"


def subnet(whole: IPv4Network, name: str) -> IPv4Network:
    """The part of a tenant's /24 that is one network's."""
    eighth, prefix = SUBNET_OFFSETS[name]
    return IPv4Network((int(whole.network_address) + 8 * eighth, prefix))
