"""How a service is run from a public image: what differs from the image built here, as data of the release."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from config.reading import checkout
from config.reading.keys import number, text, texts
from config.reading.words import quoted
from config.values import checks
from config.values.front_ends import FRONT_ENDS

# Scripts and configuration files for public images; named in release files.
FILES = Path(__file__).parent / "hub"
ROOT = Path(__file__).parents[2]
# The registry that a mirror stands for.
HUB = "docker.io"
# The role that is built on top of the openedx image, the public one or a tenant's own.
OPENEDX = "openedx"
_HOST = r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?)"
_PATH = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
_DIGEST = r"sha256:[0-9a-f]{64}"
_TAGGED = re.compile(rf"{_HOST}/{_PATH}:{_TAG}")
PINNED = re.compile(rf"{_HOST}/{_PATH}(?::{_TAG})?@{_DIGEST}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*=[^\n]*")
_FILE = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")
# Seconds of a start in which a failed probe counts for nothing. Of what is built here the slowest starters (RabbitMQ,
# OpenSearch) need 12 s on 2 busy cores; ten portals that start at once share them.
START_SECONDS = 120
# What no image may need beyond; the house drops all others.
_CAPABILITIES = ("NET_BIND_SERVICE",)
_PATHNAME = re.compile(r"(/[A-Za-z0-9._-]+)+")


def tagged(reference: str) -> str:
    """A public image by registry and tag."""
    if "@" in reference:
        raise ValueError(
            f"{quoted(reference)} has a digest, expected a tag: digests stand in config/pins.yml"
        )
    if not _TAGGED.fullmatch(reference) or not _registry(reference):
        raise ValueError(f"{quoted(reference)} is not an image with registry and tag")
    if reference.endswith(":latest"):
        raise ValueError(f"{quoted(reference)} names no version, expected the tag of a version")
    return reference


def pinned(reference: str) -> str:
    """An image of any registry by its digest: what a tag points at may change, and a plan would not show it."""
    if _TAGGED.fullmatch(reference) and _registry(reference):
        raise ValueError(f"{quoted(reference)} has no digest, expected one: a tag may move")
    if not PINNED.fullmatch(reference) or not _registry(reference):
        raise ValueError(f"{quoted(reference)} is not an image with registry and digest")
    return reference


def registry(text: str) -> str:
    """Where a registry keeps images: its name, and folders of it."""
    if not re.fullmatch(rf"{_HOST}(?:/{_PATH})?", text) or not _registry(f"{text}/"):
        raise ValueError(f"{quoted(text)} is not a registry, with folders or without")
    return text


def from_mirror(image: str, mirror: str) -> str:
    """Where an image of docker.io is taken from, with a mirror of it; every other image stays."""
    return f"{mirror}{image.removeprefix(HUB)}" if mirror and image.startswith(f"{HUB}/") else image


def digest(text: str) -> str:
    """The digest of an image."""
    if not re.fullmatch(_DIGEST, text):
        raise ValueError(f"{quoted(text)} is not a digest, expected sha256: and 64 hex digits")
    return text


def _registry(reference: str) -> bool:
    # Docker takes a first word without a dot or a port for a folder of Docker Hub.
    host = reference.partition("/")[0]
    return "." in host or ":" in host or host == "localhost"


def _variable(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not a variable with its value")
    name = text.partition("=")[0]
    if re.search(r"(PASSWORD|SECRET|_KEY|TOKEN)$", name):
        raise ValueError(f"{quoted(text)} would expose a secret, expected a file")
    return text


def file(name: str) -> str:
    """The text of a file of config/releases/hub. Raises ConfigError."""
    return checkout.text(FILES / name, ROOT)


def _file(text: str) -> str:
    if _FILE.fullmatch(text) and (reason := checkout.refusal(FILES / text, ROOT)):
        raise ValueError(f"{quoted(text)} cannot be read: {reason}")
    if not _FILE.fullmatch(text) or not (FILES / text).is_file():
        known = ", ".join(sorted(path.name for path in FILES.iterdir()))
        raise ValueError(f"{quoted(text)} is not a file of config/releases/hub, expected one of: {known}")
    return text


def _capability(text: str) -> str:
    if text not in _CAPABILITIES:
        raise ValueError(f"{quoted(text)} is not allowed, expected one of: {', '.join(_CAPABILITIES)}")
    return text


def _path(text: str) -> str:
    if not _PATHNAME.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not an absolute path")
    return text


def _mount(text: str) -> str:
    _path(text.partition(":")[0])
    return text


@dataclass(frozen=True, kw_only=True)
class Hub:
    """The public image of a service, and how it wants to be run; what is not said is as with the image built here."""

    image: str = field(
        default="",
        metadata=text(tagged, "The public image, by registry and tag.", "docker.io/library/mysql:8.4.0"),
    )
    user: int = field(
        default=0,
        metadata=number(checks.Between(1, 65533), "The numeric user, if different.", 999),
    )
    memory: int = field(default=0, metadata=text(checks.memory, "The memory limit, if different.", "2GiB"))
    memory_min: int = field(
        default=0,
        metadata=text(checks.memory, "The least memory that starts and reloads it, if different.", "1280MiB"),
    )
    memory_each: int = field(
        default=0,
        metadata=text(
            checks.memory, "What each process beyond `workers` needs more, if different.", "256MiB"
        ),
    )
    start_seconds: int = field(
        default=START_SECONDS,
        metadata=number(
            checks.Between(10, 3600), "Seconds of its start in which a failed probe counts for nothing.", 300
        ),
    )
    data: str = field(default="/data", metadata=text(_path, "Its data directory.", "/var/lib/mysql"))
    command: tuple[str, ...] = field(
        default=(), metadata=texts(str, "The command, if different.", "[mongod, --bind_ip_all]")
    )
    environment: tuple[str, ...] = field(
        default=(), metadata=texts(_variable, "More environment, never a secret.", "[TZ=UTC]")
    )
    files: tuple[str, ...] = field(
        default=(),
        metadata=texts(_file, "Files of config/releases/hub that it gets below /portal/hub.", "[mysql.sh]"),
    )
    probe: tuple[str, ...] = field(
        default=(), metadata=texts(str, "Command that reports readiness.", "[mysqladmin, ping]")
    )
    tmpfs: tuple[str, ...] = field(
        default=(), metadata=texts(_mount, "Paths in memory, with their options.", "['/run/x:size=4m']")
    )
    capabilities: tuple[str, ...] = field(
        default=(),
        metadata=texts(_capability, "Capabilities that it cannot start without.", "[NET_BIND_SERVICE]"),
    )
    derived: str = field(
        default="",
        metadata=text(checks.word, "The role whose image is built here on top of the public one.", "openedx"),
    )
    front_ends: tuple[str, ...] = field(
        default=(),
        metadata=texts(
            checks.OneOf(tuple(FRONT_ENDS)),
            "Open edX's front ends that it has, by their folders.",
            "[authn, learning]",
        ),
    )
    # Written by `./portal images pin` into config/pins.yml, not in the release's own file.
    digest: str = ""
    # Where docker.io's images are taken from instead (config/fleet.yml).
    mirror: str = ""

    @property
    def place(self) -> str:
        """The image by tag, where it is taken from."""
        return from_mirror(self.image, self.mirror)

    @property
    def pinned(self) -> str:
        """The image by tag (for people) and digest (for the engine)."""
        return f"{self.place}@{self.digest}"
