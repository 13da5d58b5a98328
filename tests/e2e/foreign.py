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
SIOCSIFADDR, SIOCSIFNETMASK = 0x8916, 0x891C
SIOCADDRT, SIOCDELRT = 0x890B, 0x890C
RTF_UP = 0x1


@contextmanager
def listening_program(address: str, port: int) -> Iterator[str]:
    """A program of the host listens there."""
    with socket.create_server((address, port)):
        yield "a program of the engine's host"


@contextmanager
def bound_program(address: str, port: int) -> Iterator[str]:
    """A program of the host holds it and does not listen: no list of the kernel's has it."""
    with socket.socket() as held:
        held.bind((address, port))
        yield "a program of the engine's host, which holds it without listening there"


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
def host_address(address: str) -> Iterator[str]:
    """The loopback interface has it besides its own, as a tunnel has one: it is part of no route. Only root can do that."""
    _set_loopback_address(address)
    try:
        yield f"has {address} in it, which is an address of the engine's host"
    finally:
        _set_loopback_address("0.0.0.0")


def _set_loopback_address(address: str) -> None:
    """The address of `lo:1`; 0.0.0.0 removes it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as by:
        for request, value in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, "255.255.255.255")):
            if request == SIOCSIFADDR or address != "0.0.0.0":
                packed = struct.pack("=16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(value))
                fcntl.ioctl(by, request, packed)


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
