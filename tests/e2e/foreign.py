"""What others may have on a machine and its engine: a listening program, a container with a published port, a network, a route."""

import ctypes
import fcntl
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from typing import Any

from config.images import reference
from testbed.objects import HERE

NAME = "foreign-to-all-portals"
# linux/sockios.h and linux/route.h.
SIOCADDRT, SIOCDELRT = 0x890B, 0x890C
RTF_UP = 0x1


@contextmanager
def listening_program(address: str, port: int) -> Iterator[str]:
    """A program of the host listens there."""
    with socket.create_server((address, port)):
        yield "a program of the engine's host"


@contextmanager
def publishing_container(client: Any, address: str, port: int) -> Iterator[str]:
    """A container of nobody's publishes it."""
    made = client.create_container(
        reference("base", HERE / "images"),
        entrypoint=["sleep", "600"],
        name=NAME,
        ports=[80],
        host_config=client.create_host_config(port_bindings={80: (address, port)}),
    )["Id"]
    try:
        client.start(made)
        yield f"container {NAME}"
    finally:
        client.remove_container(made, force=True)


@contextmanager
def network(client: Any, subnet: str) -> Iterator[str]:
    """A network of nobody's has it."""
    from docker.types import IPAMConfig, IPAMPool

    made = client.create_network(NAME, ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=subnet)]))["Id"]
    try:
        yield f"overlaps {subnet} of the engine's network {NAME}"
    finally:
        client.remove_network(made)


@contextmanager
def route(subnet: str) -> Iterator[str]:
    """The host reaches it by its loopback interface, where it harms nobody. Only root can do that."""
    _route(SIOCADDRT, subnet)
    try:
        yield f"overlaps {subnet}, which the engine's host reaches by lo"
    finally:
        _route(SIOCDELRT, subnet)


def _route(request: int, subnet: str) -> None:
    place = IPv4Network(subnet)
    device = ctypes.create_string_buffer(b"lo")

    def address(text: object) -> bytes:
        return struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(str(text)))

    # struct rtentry, with what the machine's own alignment leaves between.
    route_message = struct.pack(
        "@L16s16s16sHhLPhPLLH",
        0,
        address(place.network_address),
        address("0.0.0.0"),
        address(place.netmask),
        RTF_UP,
        0,
        0,
        0,
        0,
        ctypes.addressof(device),
        0,
        0,
        0,
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as by:
        fcntl.ioctl(by, request, route_message)
