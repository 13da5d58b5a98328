"""What the host's packet filter keeps the portals from: the host itself, the cloud's metadata, each other, egress by the ingress network.

Networks inside need none of it: their bridges have no address of the host (components/network.py). These are for the two
that have one. Two chains of our own, called from the places that the engine and the kernel leave to others (DOCKER-USER,
INPUT): https://docs.docker.com/engine/network/packet-filtering-firewalls/. No rule of anybody else is touched.
"""

import fcntl
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from pathlib import Path
from typing import Literal

from config.values.networks import EGRESS, INGRESS, SUBNET_OFFSETS
from toolchain.errors import ToolchainError
from toolchain.parts.dockerd import Daemon
from toolchain.parts.engine import SOCKET, address
from toolchain.paths import REPO, Paths

FORWARD, INPUT = "PORTALS-FORWARD", "PORTALS-INPUT"
CALLED_FROM = {FORWARD: "DOCKER-USER", INPUT: "INPUT"}
# What clouds answer their machines' secrets at: AWS, Google and most others; Azure; Alibaba.
METADATA = ("169.254.0.0/16", "168.63.129.16/32", "100.100.100.200/32")
RESOLVERS = Path("/etc/resolv.conf")
# For iptables' own lock, and for a command.
LOCK_SECONDS, LIMIT = 10, 30.0
SOCKETS = (f"unix://{SOCKET}", "unix:///run/docker.sock")

REMEDY = "as root on the engine's machine: ./portal engine rules"

State = Literal["held", "missing", "unseen"]


def rules(pool: IPv4Network, resolvers: Iterable[str]) -> dict[str, list[str]]:
    """The rules of both chains, as `iptables -S` tells them. `resolvers` are asked for names, wherever they are."""
    ingress, egress = address_match(pool, INGRESS), address_match(pool, EGRESS)
    names = [
        f"-s {egress} -d {each}/32 -p {kind} -m {kind} --dport 53 -j RETURN"
        for each in resolvers
        for kind in ("udp", "tcp")
    ]
    forward = [
        "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
        # It answers what came in by the published port, and begins nothing.
        f"-s {ingress} -j DROP",
        *names,
        *(f"-s {egress} -d {each} -j DROP" for each in METADATA),
        f"-s {egress} -d {pool} -j DROP",
    ]
    to_host = [
        "-i lo -j RETURN",
        "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
        *names,
        f"-s {pool} -j DROP",
    ]
    return {
        chain: [f"-A {chain} {each}" for each in those]
        for chain, those in ((FORWARD, forward), (INPUT, to_host))
    }


def address_match(pool: IPv4Network, name: str) -> str:
    """All tenants' networks of one name, in one match: the pool's bits and those of the place in each /24."""
    eighth, prefix = SUBNET_OFFSETS[name]
    mask = int(pool.netmask) | (int(IPv4Network((0, prefix)).netmask) & 0xFF)
    return f"{IPv4Address(int(pool.network_address) + 8 * eighth)}/{IPv4Address(mask)}"


def resolvers(text: str) -> tuple[str, ...]:
    """The name servers of a resolv.conf that containers ask themselves; one on the loopback address the engine asks."""
    servers = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                server = IPv4Address(words[1])
            except AddressValueError:
                continue
            if not server.is_loopback:
                servers.append(str(server))
    return tuple(dict.fromkeys(servers))


def pool(repo: Path = REPO) -> IPv4Network:
    """The fleet's pool. Standard library alone: what checks the file whole is not installed yet at an engine's start."""
    path = repo / "config" / "fleet.yml"
    match = re.search(r"(?m)^pool:\s*[\"']?([0-9./]+)", path.read_text())
    if not match:
        raise ToolchainError(f"{path}: pool: is missing, expected a network, for example 10.77.0.0/16")
    return IPv4Network(match[1])


@dataclass(frozen=True)
class HostRules:
    """The chains on this machine."""

    env: Mapping[str, str]
    paths: Paths

    @property
    def can_read(self) -> bool:
        """Whether the engine in use is this machine's own, and this user may see its packet filter."""
        return address(self.env) in SOCKETS and os.geteuid() == 0

    @property
    def started_here(self) -> bool:
        """Whether the engine was started or installed here: else whose machine it is decides."""
        return self.can_read and (
            Daemon(self.paths.engine).process() is not None or self.paths.installed.exists()
        )

    @property
    def expected(self) -> dict[str, list[str]]:
        text = RESOLVERS.read_text() if RESOLVERS.exists() else ""
        return rules(pool(), resolvers(text))

    def state(self) -> State:
        """Whether they are there as wanted; unseen where this user or machine cannot tell."""
        if not self.can_read:
            return "unseen"
        for chain, those in self.expected.items():
            actual = _lines("iptables", "-w", str(LOCK_SECONDS), "-S", chain)
            called = _lines("iptables", "-w", str(LOCK_SECONDS), "-S", CALLED_FROM[chain])
            if actual != [f"-N {chain}", *those] or f"-A {CALLED_FROM[chain]} -j {chain}" not in (
                called or ()
            ):
                return "missing"
        return "held"

    def hold(self) -> None:
        """Put them there; what is there already stays as it is. Raises ToolchainError."""
        if not self.can_read:
            raise ToolchainError(f"packet rules are installed on the engine's own machine, as root; {REMEDY}")
        self.paths.engine.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Several portals come up at once.
        with (self.paths.engine / "rules.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.state() != "held":
                self._put()

    def _put(self) -> None:
        expected = self.expected
        text = "\n".join(
            [
                "*filter",
                *(f":{chain} - [0:0]" for chain in expected),
                *(each for those in expected.values() for each in those),
                "COMMIT",
                "",
            ]
        )
        # Both chains at once, whole or not at all; all others as they are.
        _run("iptables-restore", "--noflush", "-w", str(LOCK_SECONDS), stdin=text)
        for chain, caller in CALLED_FROM.items():
            words = ("iptables", "-w", str(LOCK_SECONDS))
            if _lines(*words, "-C", caller, "-j", chain) is None:
                _run(*words, "-I", caller, "1", "-j", chain)

    def ensure(self) -> State:
        """Put them there where the machine is ours to change; what is so then. Raises ToolchainError."""
        if self.started_here:
            self.hold()
        return self.state()


def warning(state: State) -> str:
    """One line for people, empty where all is well."""
    if state == "held":
        return ""
    what = "are missing" if state == "missing" else "cannot be seen from here"
    return f"the host's packet rules for portals (they block the host itself and cloud metadata) {what}; {REMEDY}"


def _lines(*words: str) -> list[str] | None:
    """What a command prints; None where it fails, which tells that a chain or a rule is not there."""
    try:
        return _run(*words).splitlines()
    except ToolchainError:
        return None


def _run(*words: str, stdin: str = "") -> str:
    try:
        return subprocess.run(
            words, input=stdin, capture_output=True, text=True, timeout=LIMIT, check=True
        ).stdout
    except FileNotFoundError:
        raise ToolchainError(f"{words[0]} is not installed; as root: apt-get install iptables") from None
    except subprocess.TimeoutExpired:
        raise ToolchainError(f"gave up waiting for `{words[0]}` after {LIMIT:.0f} s") from None
    except subprocess.CalledProcessError as error:
        raise ToolchainError(f"{' '.join(words)}: {error.stderr.strip()}") from None
