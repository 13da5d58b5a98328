"""A machine beyond this host: a network namespace behind a virtual cable. The engine does not know it."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from testbed.waiting import until

NAME = "portals-e2e"
HERE = "198.51.100.1"
THERE = "198.51.100.2"
PORT = 18189
LIMIT_SECONDS = 30
# Takes every connection and says nothing.
SERVER = """
import socket, sys
server = socket.create_server(("", int(sys.argv[1])))
while True:
    server.accept()[0].close()
"""


class NoOutside(Exception):
    """The machine cannot be made: that needs root and iproute2."""


def ip(*words: str) -> None:
    """Run `ip`. Raises CalledProcessError."""
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=LIMIT_SECONDS)


@contextmanager
def outside() -> Iterator[tuple[str, int]]:
    """The address and port of a web server beyond this host. Raises NoOutside."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        raise NoOutside("only root, with iproute2, can put a machine beyond this host")
    remove()
    ip("netns", "add", NAME)
    try:
        ip("link", "add", "e2e-here", "type", "veth", "peer", "name", "e2e-there", "netns", NAME)
        ip("addr", "add", f"{HERE}/30", "dev", "e2e-here")
        ip("link", "set", "e2e-here", "up")
        ip("-n", NAME, "addr", "add", f"{THERE}/30", "dev", "e2e-there")
        ip("-n", NAME, "link", "set", "e2e-there", "up")
        ip("-n", NAME, "route", "add", "default", "via", HERE)
        served = subprocess.Popen(
            ["ip", "netns", "exec", NAME, sys.executable, "-c", SERVER, str(PORT)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until(f"an answer at {THERE}:{PORT}", lambda: is_listening(THERE, PORT))
            yield THERE, PORT
        finally:
            served.kill()
            served.wait(timeout=LIMIT_SECONDS)
    finally:
        remove()


def is_listening(address: str, port: int) -> bool:
    """Whether a program listens at this address and port."""
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def remove() -> None:
    """Remove the namespace and its virtual cable."""
    with contextlib.suppress(subprocess.CalledProcessError):
        ip("link", "delete", "e2e-here")
    with contextlib.suppress(subprocess.CalledProcessError):
        ip("netns", "delete", NAME)
