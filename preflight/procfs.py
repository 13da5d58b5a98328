"""What a Linux host's /proc/net says: who listens, which networks are routed, which addresses are its own. Pure functions.

The formats: https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html and proc(5).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address

# include/net/tcp_states.h: TCP_LISTEN.
LISTEN = "0A"
ANY = "0.0.0.0"  # noqa: S104 - compared, not bound


@dataclass(frozen=True, order=True, kw_only=True)
class ListenAddress:
    """An IPv4 address (ANY for all) and a TCP port that somebody listens at."""

    address: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "ListenAddress":
        """From `address:port`. Raises ValueError."""
        address, _, port = text.rpartition(":")
        return cls(address=address, port=int(port))

    def conflicts_with(self, other: "ListenAddress") -> bool:
        """Whether only one of the two can be listened at."""
        return self.port == other.port and (
            self.address == other.address or ANY in (self.address, other.address)
        )

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Route:
    """A network that a host reaches by an interface. `linked` when the interface itself is in it."""

    network: IPv4Network
    interface: str
    linked: bool


def listening(tcp: str, tcp6: str) -> set[ListenAddress]:
    """Where anything listens, as IPv4 sees it, by the texts of /proc/net/tcp and tcp6.

    Who listens at `::` listens at every IPv4 address too, as far as these texts tell: they do not say IPV6_V6ONLY.
    """
    return {*_listening(tcp), *_listening(tcp6)}


def _listening(text: str) -> Iterator[ListenAddress]:
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) > 3 and words[3] == LISTEN:
            address, _, port = words[1].partition(":")
            if (address_text := _ipv4(bytes.fromhex(address))) is not None:
                yield ListenAddress(address=address_text, port=int(port, 16))


def _ipv4(raw: bytes) -> str | None:
    # Words of four bytes, each in the machine's own order; all that Docker runs on are little endian but s390x.
    plain = b"".join(raw[place : place + 4][::-1] for place in range(0, len(raw), 4))
    if len(plain) == 4:
        return str(IPv4Address(plain))
    address = IPv6Address(plain)
    if address == IPv6Address("::"):
        return ANY
    return str(address.ipv4_mapped) if address.ipv4_mapped else None


def routes(text: str) -> list[Route]:
    """Every network of /proc/net/route but the default one, which is everything."""
    parsed = []
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) > 7:
            place, gateway, mask = (bytes.fromhex(words[each])[::-1] for each in (1, 2, 7))
            network = IPv4Network((int.from_bytes(place), str(IPv4Address(mask))))
            if network.prefixlen:
                parsed.append(Route(network=network, interface=words[0], linked=not any(gateway)))
    return parsed


def host_networks(text: str) -> list[IPv4Network]:
    """The addresses that are the host's own, by the text of /proc/net/fib_trie: single ones, and 127.0.0.0/8."""
    own, leaf = set(), ""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["|--"]:
            leaf = words[1]
        elif words[-1:] == ["LOCAL"] and leaf:
            own.add(IPv4Network(f"{leaf}{words[0]}"))
    return sorted(own)
