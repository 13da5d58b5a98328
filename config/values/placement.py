"""Where a portal runs and listens: engines, addresses, ports, subnets."""

import os
import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv4Network, ip_address

from config.reading.words import quoted

# The machine of the local socket.
HERE = ""
# Where Docker's own clients look when nothing else is said.
LOCAL = "unix:///var/run/docker.sock"
# /var/run is /run on every system that has both: https://refspecs.linuxfoundation.org/FHS_3.0/fhs/ch05s13.html
_LOCAL_SOCKETS = ("/run/docker.sock", "/var/run/docker.sock")
_DIGITS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
_HOST = r"(?P<host>[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)"
_PORT = r":(?P<port>[1-9][0-9]{0,4})"
FORMS = (
    re.compile(r"unix://(?P<path>/[A-Za-z0-9._/-]+)"),
    re.compile(rf"tcp://{_HOST}{_PORT}"),
    re.compile(rf"ssh://([A-Za-z0-9_][A-Za-z0-9_.-]{{0,31}}@)?{_HOST}({_PORT})?"),
)


def docker_host(text: str) -> str:
    """How to reach an engine, as in DOCKER_HOST; raises ValueError."""
    if not text:
        return text
    shown = quoted(text)
    if "@" in text and ":" in text.partition("://")[2].rpartition("@")[0]:
        raise ValueError("has a password in it, expected an ssh key for the user")
    match = next((match for form in FORMS if (match := form.fullmatch(text))), None)
    if not match:
        forms = "unix:///path, tcp://host:port, ssh://user@host or nothing for the local engine"
        raise ValueError(f"{shown} is not an engine's address, expected {forms}")
    port = match.groupdict().get("port")
    if port and int(port) > 65535:
        raise ValueError(f"{shown} has no valid port, expected 1 to 65535")
    return text


def address_of(
    docker_host: str, environ: Mapping[str, str], resolve: Callable[[str], str] = os.path.realpath
) -> str:
    """The one text for the engine of a tenant or, where its file names none, of the shell: DOCKER_HOST, else LOCAL."""
    return canonical(docker_host or environ.get("DOCKER_HOST", ""), resolve)


def canonical(docker_host: str, resolve: Callable[[str], str] = os.path.realpath) -> str:
    """The same text for the same address, however it is written: aliases of the local socket are LOCAL, nothing said is, too.

    `resolve` follows symbolic links. Two texts may still lead to one engine, by a tunnel or another name of its machine.
    """
    text = docker_host.rstrip("/")
    kind, _, rest = text.partition("://")
    if not text or (kind == "unix" and _is_local(rest, resolve)):
        return LOCAL
    if kind == "tcp":
        return re.sub(r"^tcp://localhost(?=:|$)", "tcp://127.0.0.1", text.lower())
    return text.removesuffix(":22") if kind == "ssh" else text


def _is_local(path: str, resolve: Callable[[str], str]) -> bool:
    return path in _LOCAL_SOCKETS or resolve(path) in {resolve(each) for each in _LOCAL_SOCKETS}


def refusal(docker_host: str, environ: Mapping[str, str]) -> str:
    """Why an engine at this address is not to be used from this shell, with the remedy; empty when nothing speaks against it."""
    context = environ.get("DOCKER_CONTEXT", "")
    if context not in ("", "default"):
        # The official plugin takes it before any host: pulumi-docker 5.1.0, Provider's `context`.
        return (
            f"DOCKER_CONTEXT is '{context}', which would lead some programs to another engine than others: unset it, and name the "
            "engine by placement/docker_host or DOCKER_HOST"
        )
    kind = docker_host.partition("://")[0]
    # By list: clients take more (`http://`, `TCP://`, a bare `host:port`), and all of that is without TLS.
    if docker_host and kind not in ("unix", "ssh", "tcp"):
        return f"DOCKER_HOST {quoted(docker_host)} is not an engine's address, expected unix:///path, tcp://host:port or ssh://user@host"
    if is_plain(docker_host) and not (environ.get("DOCKER_TLS_VERIFY") and environ.get("DOCKER_CERT_PATH")):
        return (
            f"{quoted(docker_host)} would be used without TLS, and whoever reaches that port is root there: use ssh://user@host, or set "
            "DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH to a folder with ca.pem, cert.pem and key.pem "
            "(https://docs.docker.com/engine/security/protect-access/)"
        )
    return ""


def is_plain(docker_host: str) -> bool:
    """Whether an address leads over a network, and says nothing of how that is protected: tcp:// to another machine."""
    kind, _, rest = docker_host.partition("://")
    host = rest.rstrip("/").rpartition(":")[0].strip("[]") or rest
    return kind == "tcp" and bool(host) and not is_here(host)


def is_here(host: str) -> bool:
    """Whether a host's name or address is this machine's own, which no packet leaves."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        # A name, whatever it begins with: 127.0.0.1.example is anybody's.
        return False


def machine(docker_host: str) -> str:
    """The machine behind an engine, by its name, or HERE: two engines of one machine share its ports."""
    match = next((match for form in FORMS if (match := form.fullmatch(docker_host))), None)
    host = str(match.groupdict().get("host") or HERE) if match else HERE
    return HERE if is_here(host) else host


def address(text: str) -> IPv4Address:
    """An IPv4 address in four plain numbers; raises ValueError."""
    try:
        if _DIGITS.fullmatch(text):
            return IPv4Address(text)
    except ValueError:
        pass
    if ":" in text:
        raise ValueError(f"{quoted(text)} is not an IPv4 address; portals do not listen on IPv6")
    raise ValueError(f"{quoted(text)} is not an IPv4 address of the host, nor 0.0.0.0 for all of them")


def listen_address(text: str) -> str:
    """An address that a host may have, or 0.0.0.0 for all that it has; raises ValueError."""
    parsed = address(text)
    none = parsed in IPv4Network("0.0.0.0/8") and not parsed.is_unspecified
    if none or parsed.is_multicast or parsed.is_reserved:
        raise ValueError(f"{quoted(text)} is not an address that a host can have")
    return text


def listen_port(number: int) -> int:
    """80, 443 or 1024 to 65535: the ports below are other protocols'; raises ValueError."""
    if number in (80, 443) or 1024 <= number <= 65535:
        return number
    raise ValueError(f"{number} is not a port for a portal, expected 80, 443 or 1024 to 65535")


def network(text: str) -> IPv4Network:
    """An IPv4 network with its prefix length and no host bits; raises ValueError."""
    shown = quoted(text)
    if ":" in text:
        raise ValueError(f"{shown} is IPv6; the networks of a portal are IPv4, and their pool with them")
    start, slash, length = text.partition("/")
    if _DIGITS.fullmatch(text):
        raise ValueError(f"{shown} has no prefix length, expected one such as '/24'")
    if not (slash and _DIGITS.fullmatch(start) and re.fullmatch(r"[0-9]{1,2}", length)):
        raise ValueError(f"{shown} is not an IPv4 network")
    try:
        parsed = IPv4Network(text, strict=False)
    except ValueError:
        raise ValueError(f"{shown} is not an IPv4 network") from None
    if str(parsed.network_address) != start:
        raise ValueError(f"{shown} is an address inside {parsed}, expected the network's first")
    return parsed


def subnet(text: str) -> IPv4Network:
    """A tenant's /24; raises ValueError."""
    parsed = network(text)
    if parsed.prefixlen != 24:
        raise ValueError(f"{quoted(text)} is a /{parsed.prefixlen}, expected a /24: 256 addresses a portal")
    return parsed


def pool(text: str) -> IPv4Network:
    """A fleet's pool of subnets, /8 to /24, of private addresses; raises ValueError."""
    parsed = network(text)
    if not (8 <= parsed.prefixlen <= 24 and parsed.is_private):
        raise ValueError(f"{quoted(text)} is not a pool, expected a private network from /8 to /24")
    return parsed
