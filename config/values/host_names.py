"""Host names that a browser, a certificate authority and a mail server all take."""

import re
from collections.abc import Iterable
from ipaddress import IPv6Address

from config.reading.words import character, characters, quoted

LONGEST = 253
# Services that browsers reach by a name of their own below the lms's, as is Open edX's custom. The preview is no service:
# edx-platform's lms shows by that name what authors have not published yet.
BELOW_LMS = {"mfe": "apps", "meilisearch": "meilisearch", "preview": "preview"}
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# Browsers take names like these for addresses: 10.0.0.1, 0x7f.1
_ADDRESS = re.compile(r"([0-9]+|0x[0-9a-f]*)")


def below_lms(lms: str, services: Iterable[str]) -> dict[str, str]:
    """The host name below the lms's of each of those services that has one."""
    known = set(services)
    return {service: f"{part}.{lms}" for service, part in BELOW_LMS.items() if service in known}


def host(text: str) -> str:
    """A full host name in lower case (RFC 1123); raises ValueError with what is wrong with it."""
    shown = quoted(text)
    odd = sorted({each for each in text if not each.isascii()})
    if odd:
        # By their names, because letters of other alphabets look like ours.
        named = ", ".join(character(each) for each in odd[:3])
        raise ValueError(f"{shown} has {named}, expected ASCII, or punycode for other letters (xn--…)")
    if "://" in text:
        raise ValueError(f"{shown} is a URL, expected the host name alone")
    if "*" in text:
        raise ValueError(f"{shown} is a wildcard, expected one host name")
    if _is_ipv6(text) or _ADDRESS.fullmatch(text.rpartition(".")[2]):
        raise ValueError(f"{shown} is an address, expected a name, which browsers and certificates need")
    if ":" in text:
        raise ValueError(f"{shown} has a port, expected the host name alone; the port is listen/port")
    if text != text.lower():
        raise ValueError(f"{shown} has capital letters, expected lower case")
    if len(text) > LONGEST:
        raise ValueError(f"{shown} has {characters(text)}, expected at most {LONGEST}")
    labels = text.split(".")
    if len(labels) < 2:
        raise ValueError(f"{shown} is not a host name")
    for label in labels:
        _label(label, shown)
    return text


def _label(label: str, shown: str) -> None:
    if not label:
        raise ValueError(f"{shown} has a dot too many")
    if len(label) > 63:
        raise ValueError(f"{shown} has a part of {len(label)} characters, expected at most 63")
    if "_" in label:
        raise ValueError(f"{shown} has an underscore, expected letters, digits and hyphens")
    if not LABEL.fullmatch(label):
        raise ValueError(f"{shown} is not a host name")
    if label[2:4] == "--" and not _is_punycode(label):
        # Certificate authorities refuse these: RFC 5890 keeps them for encodings to come.
        raise ValueError(f"{shown} has '--' in a part's third and fourth place, which is for punycode")


def _is_punycode(label: str) -> bool:
    if not label.startswith("xn--"):
        return False
    try:
        return not label[4:].encode().decode("punycode").isascii()
    except ValueError:
        return False


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text.strip("[]"))
    except ValueError:
        return False
    return True
