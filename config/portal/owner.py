"""Whose a portal is: the backend that keeps its state, by a name that all who use that backend read alike.

A file backend is named by a file beside its states, made once; every other by its URL, without what is secret or each one's own in it.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

FILE = "owner"
# As storage-init takes it, too: it becomes a word of a command and a line of a file.
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9@:/._+-]{0,199}")


def of_backend(environ: Mapping[str, str]) -> str:
    """The name of the shell's backend, empty where it has none (yet): nothing is made for it here."""
    url = urlsplit(environ.get("PULUMI_BACKEND_URL", ""))
    if url.scheme == "file":
        return read(folder(environ))
    host = url.netloc.rpartition("@")[2]
    return plain(f"{url.scheme}://{host}{url.path.rstrip('/')}") if url.scheme and host else ""


def folder(environ: Mapping[str, str]) -> Path | None:
    """The folder of a file backend, None of any other."""
    url = urlsplit(environ.get("PULUMI_BACKEND_URL", ""))
    # The CLI takes `file://~/x` for a folder at home.
    return Path(unquote(url.netloc + url.path)).expanduser() if url.scheme == "file" else None


def read(place: Path | None) -> str:
    """What a file backend's own file says, empty where there is none."""
    try:
        return plain((place / FILE).read_text().strip()) if place else ""
    except (OSError, UnicodeDecodeError):
        return ""


def make(place: Path, who: str) -> None:
    """Name a file backend after who made it, and at random; the first of two at the same moment names it."""
    if read(place):
        return
    maker = re.sub(r"[^A-Za-z0-9@._-]", "-", who)[:100].lstrip("@._-") or "portals"
    name = f"{maker}-{os.urandom(4).hex()}"
    fresh = place / f".{FILE}.{os.getpid()}"
    fresh.write_text(f"{name}\n")
    try:
        os.link(fresh, place / FILE)
    except FileExistsError:
        return
    finally:
        fresh.unlink()


def plain(text: str) -> str:
    """The text where it can be a name, else nothing: it comes from files and labels that others may write."""
    return text if PLAIN.fullmatch(text) else ""
