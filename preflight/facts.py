"""What an engine and its host have: by the engine's API, and where that is blind by a container that reads /proc."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from config.portal.labels import TENANT
from config.values import drive_paths
from preflight import procfs
from preflight.helper import helper
from preflight.procfs import ListenAddress, Route

# Every user may read these; the interface names of a host, and what listens there, are no secret to its engine's users.
FILES = ("/proc/net/tcp", "/proc/net/tcp6", "/proc/net/route", "/proc/net/fib_trie", "/proc/meminfo")
PAGE = "=== portal "
DISK = "df"
BIND = "bind"
SENTINEL = "/sentinel"
# Only what is looked for: a busy host has a hundred thousand connections, a router as many routes.
HOST_FACTS_SCRIPT = (
    f"page() {{ echo '{PAGE}'$1; }}; "
    "for each in /proc/net/tcp /proc/net/tcp6; do page $each; [ ! -e $each ] || awk 'NR == 1 || $4 == \"0A\"' $each; done; "
    "page /proc/net/route; head -n 20000 /proc/net/route; "
    "page /proc/net/fib_trie; awk '/\\|--/ { leaf = $0 } / LOCAL$/ { print leaf; print }' /proc/net/fib_trie; "
    f"page /proc/meminfo; grep MemAvailable /proc/meminfo; page {DISK}; df -Pk {SENTINEL} | tail -n 1; "
    # Who holds a port without listening at it stands in no list: a socket that is only bound, the near end of a connection.
    # The engine binds in the same way, with SO_REUSEADDR.
    f"page {BIND}; perl -MSocket -MErrno -e '"
    "for (@ARGV) { my ($address, $port) = split /:/; socket(my $tried, PF_INET, SOCK_STREAM, 0); "
    "setsockopt($tried, SOL_SOCKET, SO_REUSEADDR, 1); "
    'print "$_\\n" if !bind($tried, sockaddr_in($port, inet_aton($address))) && $!{EADDRINUSE} }\' "$@"'
)
LIMIT_SECONDS = 30.0
# A route to more than this is one to elsewhere, such as 10.0.0.0/8 by a router: all of a pool may lie in it.
NARROW = 16
NOBODY = "65534:65534"
HELPER_MIB = 32
# What the engine tells of machines, and what an image does: https://github.com/containerd/platforms (platforms.go).
MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
_MEMORY = re.compile(r"MemAvailable:\s+(\d+) kB")
_DISK = re.compile(r"^\S+\s+\d+\s+\d+\s+(\d+)\s")


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container that is there, with what it publishes while it runs."""

    name: str
    tenant: str = ""
    published: tuple[ListenAddress, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network of the engine; its subnets only where they share the host's addresses."""

    name: str
    tenant: str = ""
    subnets: tuple[IPv4Network, ...] = ()
    interface: str = ""


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A volume with the options that it was made with."""

    name: str
    tenant: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Host:
    """What only the engine's host knows: where programs of its own listen, its routes and addresses, MiB of memory and drive.

    `unbindable` are those of the asked places that somebody holds, listening or not. `disk` is None where the drive was not
    looked at.
    """

    listening: frozenset[ListenAddress]
    routes: tuple[Route, ...]
    own: tuple[IPv4Network, ...]
    memory: int
    disk: int | None = None
    unbindable: frozenset[ListenAddress] = frozenset()

    @classmethod
    def read(cls, pages: Mapping[str, str]) -> "Host":
        """From the texts of FILES, by their paths, that of `df` by DISK, and the places that could not be bound by BIND."""
        tcp, tcp6, route, trie, memory = (pages.get(each, "") for each in FILES)
        memory_match, disk = _MEMORY.search(memory), _DISK.search(pages.get(DISK, ""))
        return cls(
            listening=frozenset(procfs.listening(tcp, tcp6)),
            routes=tuple(procfs.routes(route)),
            own=tuple(procfs.host_networks(trie)),
            memory=int(memory_match[1]) // 1024 if memory_match else 0,
            disk=int(disk[1]) // 1024 if disk else None,
            unbindable=frozenset(map(ListenAddress.parse, pages.get(BIND, "").split())),
        )


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What an engine has. `host` is None where its host was not asked, and `unasked` says why, or why only in part.

    `refused` is why it will not have even a container that is limited as a portal's are.
    """

    containers: tuple[Container, ...] = ()
    networks: tuple[Network, ...] = ()
    volumes: tuple[Volume, ...] = ()
    # Architecture by reference, of those that are there.
    images: Mapping[str, str] = field(default_factory=dict)
    machine: str = ""
    memory: int = 0
    rootless: bool = False
    host: Host | None = None
    unasked: str = ""
    refused: str = ""

    @property
    def routes(self) -> tuple[Route, ...]:
        """The host's routes but those of the engine's own networks, which are compared as networks."""
        bridges = {each.interface for each in self.networks}
        return tuple(
            each for each in (self.host.routes if self.host else ()) if each.interface not in bridges
        )

    @property
    def own_addresses(self) -> tuple[IPv4Network, ...]:
        """The host's addresses that lie in no network of the engine's and in no route to what is linked: a tunnel's, for one."""
        known = [subnet for each in self.networks for subnet in each.subnets]
        known += [each.network for each in self.routes if each.linked]
        return tuple(
            each
            for each in (self.host.own if self.host else ())
            if each.prefixlen == each.max_prefixlen and not any(each.subnet_of(one) for one in known)
        )

    @property
    def taken_subnets(self) -> tuple[IPv4Network, ...]:
        """What the engine's networks have, and what its host reaches elsewhere."""
        return (
            *(subnet for each in self.networks for subnet in each.subnets),
            *self.own_addresses,
            *(each.network for each in self.routes if each.linked or each.network.prefixlen >= NARROW),
        )

    @property
    def taken_addresses(self) -> frozenset[ListenAddress]:
        """Where containers and the host's own programs listen."""
        published = {address for each in self.containers for address in each.published}
        return frozenset(
            published | (set(self.host.listening | self.host.unbindable) if self.host else set())
        )


def of_engine(client: Any, images: Iterable[str]) -> Facts:
    """What the engine's API tells; `images` are the references to look for. Raises what docker-py raises."""
    info = client.info()
    machine = MACHINES.get(info.get("Architecture", ""), info.get("Architecture", ""))
    architectures = {each: built for each in sorted(set(images)) if (built := architecture(client, each))}
    return Facts(
        containers=tuple(_container(each) for each in client.containers(all=True)),
        networks=tuple(_network(each) for each in client.networks()),
        volumes=tuple(_volume(each) for each in client.volumes()["Volumes"] or []),
        images={
            each: machine if built not in (machine, "unknown") and can_emulate(client, each) else built
            for each, built in architectures.items()
        },
        machine=machine,
        memory=int(info.get("MemTotal") or 0) // 2**20,
        rootless=any("rootless" in each for each in info.get("SecurityOptions") or ()),
    )


def of_host(
    client: Any, image: str, root: str, network: str = "host", *, ports: Iterable[ListenAddress] = ()
) -> Host:
    """What the engine's host tells a container in its own network, and of the drive at `root`.

    It tries for a moment whether `ports` can be bound there. With `network` none it tells memory and drive alone. Raises what docker-py raises (also where the drive is not mounted), and
    RuntimeError.

    The container can do nothing but what everybody may, and changes nothing: it is nobody, without capabilities, on a root that it cannot write.
    It is limited and logged as a portal's own are, so an engine that refuses these limits says so here, before anything is stopped.
    """
    from docker.types import LogConfig, Mount, Ulimit

    config = client.create_host_config(
        network_mode=network,
        mounts=[Mount(SENTINEL, f"{root}/{drive_paths.SENTINEL}", type="bind", read_only=True)],
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        read_only=True,
        mem_limit=f"{HELPER_MIB}m",
        memswap_limit=f"{HELPER_MIB}m",
        pids_limit=16,
        ulimits=[Ulimit(name="nofile", soft=8192, hard=8192)],
        log_config=LogConfig(type="json-file", config={"max-size": "10m", "max-file": "3"}),
    )
    how = {
        "entrypoint": ["sh", "-c", HOST_FACTS_SCRIPT, "sh", *map(str, sorted(ports))],
        "user": NOBODY,
        "host_config": config,
        "network_disabled": False,
    }
    with helper(client, image, **how) as made:
        client.start(made)
        code = client.wait(made, timeout=LIMIT_SECONDS)["StatusCode"]
        output: str = client.logs(made).decode(errors="replace")
    if code:
        raise RuntimeError(
            f"the inspection of the engine's host ended with exit code {code}: {output[-200:]}"
        )
    host = Host.read(split_files(output))
    # In a network of its own it sees its own.
    return (
        host
        if network == "host"
        else replace(host, listening=frozenset(), routes=(), own=(), unbindable=frozenset())
    )


def this_machine() -> Host:
    """What this process's own machine tells, for an engine on it."""
    return Host.read({each: Path(each).read_text() for each in FILES if Path(each).exists()})


def engine_errors() -> tuple[type[Exception], ...]:
    """What asking an engine or its host may raise."""
    import docker
    import requests

    return docker.errors.DockerException, requests.RequestException, OSError, RuntimeError


def split_files(output: str) -> dict[str, str]:
    """The texts of the files, by path."""
    pages_by_name = {}
    for each in output.split(PAGE)[1:]:
        path, _, text = each.partition("\n")
        pages_by_name[path.strip()] = text
    return pages_by_name


def architecture(client: Any, reference: str) -> str:
    """What machine an image is for, empty where it is not there."""
    from docker.errors import APIError, NotFound

    try:
        return str(client.inspect_image(reference).get("Architecture") or "unknown")
    except NotFound:
        return ""
    except APIError as error:
        # "invalid reference format": nothing can be there under such a name.
        if error.status_code == 400:
            return ""
        raise


def can_emulate(client: Any, reference: str) -> bool:
    """Whether programs of an image for another machine run here all the same, by an emulator that the host has."""
    from docker.errors import APIError

    with helper(client, reference, entrypoint=["/bin/true"]) as made:
        try:
            client.start(made)
            client.wait(made, timeout=LIMIT_SECONDS)
            output = client.logs(made).decode(errors="replace")
        except APIError as error:
            output = str(error.explanation)
    return "exec format error" not in output


def _container(listed: Mapping[str, Any]) -> Container:
    return Container(
        name=listed["Names"][0].lstrip("/") if listed.get("Names") else listed["Id"],
        tenant=(listed.get("Labels") or {}).get(TENANT, ""),
        published=tuple(_published_addresses(listed.get("Ports") or ())),
    )


def _published_addresses(ports: Collection[Mapping[str, Any]]) -> list[ListenAddress]:
    published = set()
    for each in ports:
        address = each.get("IP") or ""
        # Docker opens `::` beside 0.0.0.0, for IPv6 alone; a single IPv6 address is no matter here.
        if each.get("PublicPort") and each.get("Type") == "tcp" and ("." in address or address in ("", "::")):
            published.add(
                ListenAddress(address=address if "." in address else procfs.ANY, port=each["PublicPort"])
            )
    return sorted(published)


def _network(listed: Mapping[str, Any]) -> Network:
    options = listed.get("Options") or {}
    shares = listed.get("Scope", "local") == "local"
    configs = (listed.get("IPAM") or {}).get("Config") or []
    return Network(
        name=listed["Name"],
        tenant=(listed.get("Labels") or {}).get(TENANT, ""),
        subnets=tuple(
            IPv4Network(each["Subnet"], strict=False)
            for each in configs
            if shares and ":" not in each.get("Subnet", ":")
        ),
        interface=options.get("com.docker.network.bridge.name") or f"br-{listed['Id'][:12]}",
    )


def _volume(listed: Mapping[str, Any]) -> Volume:
    return Volume(
        name=listed["Name"],
        tenant=(listed.get("Labels") or {}).get(TENANT, ""),
        options=listed.get("Options") or {},
    )
