"""Where each network of a portal has its place."""

from ipaddress import IPv4Network

from config.values.networks import SUBNET_OFFSETS, subnet

WHOLE = IPv4Network("10.77.5.0/24")


def test_the_addresses_that_are_kept_are_free() -> None:
    """For what joins several portals' load balancers, for add-ons, for an overlay."""
    reserved = {address for name in SUBNET_OFFSETS for address in subnet(WHOLE, name)}
    assert [int(each) & 255 for each in WHOLE if each not in reserved] == list(range(192, 224))
