"""Paths on the drive. They go into mount options and command lines, so they are plain."""

import re
from pathlib import PurePosixPath

from config.reading.words import character, quoted

# The file at the root of a mounted drive: without it nothing starts and nothing is written.
SENTINEL = ".portals-drive"

LONGEST = 200
_PLAIN = re.compile(r"[A-Za-z0-9._/-]+")
# The system's own, or the engine's; nothing below them is a drive.
SYSTEM = (
    *(
        "/bin",
        "/boot",
        "/dev",
        "/etc",
        "/lib",
        "/lib32",
        "/lib64",
        "/libx32",
        "/proc",
        "/run",
        "/sbin",
        "/sys",
    ),
    *(
        "/usr",
        "/var/cache",
        "/var/lib/containerd",
        "/var/lib/docker",
        "/var/lib/dpkg",
        "/var/lock",
        "/var/log",
    ),
    *("/var/run", "/var/spool"),
)
# Others live beside the portals here; a directory below would do.
SHARED = ("/", "/home", "/opt", "/root", "/tmp", "/var", "/var/lib", "/var/tmp")  # noqa: S108


def volume_options(directory: str) -> dict[str, str]:
    """The options of a volume that is a directory of the drive. Unlike a path in a container's mounts, an absent one is refused."""
    return {"type": "none", "o": "bind", "device": directory}


def root(text: str) -> str:
    """Where the drive is mounted: an absolute, plain path; raises ValueError."""
    shown = quoted(text)
    if not text.startswith("/"):
        raise ValueError(f"{shown} is not absolute, expected a path from '/'")
    odd = next((each for each in text if not _PLAIN.fullmatch(each)), None)
    if odd:
        raise ValueError(
            f"{shown} has {quoted(odd) if odd.isascii() else character(odd)} in it, expected letters, digits and '._-/'"
        )
    if len(text) > LONGEST:
        raise ValueError(f"{shown} has {len(text)} characters, expected at most {LONGEST}")
    path = PurePosixPath(text)
    if ".." in path.parts:
        raise ValueError(f"{shown} has '..' in it, expected the path itself")
    # Not str(path): POSIX lets two leading slashes mean something else, and so does PurePosixPath.
    shortest = "/" + "/".join(path.parts[1:])
    if shortest != text:
        raise ValueError(f"{shown} is not in its shortest form, expected {quoted(shortest)}")
    system = next((each for each in SYSTEM if path.is_relative_to(each)), None)
    if system:
        raise ValueError(f"{shown} belongs to the system ({system}), expected where the drive is mounted")
    if text in SHARED:
        raise ValueError(f"{shown} is not only for the drive, expected a directory of its own")
    return text
