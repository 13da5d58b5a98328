"""Reads files of the checkout, and none that a symbolic link has led out of it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from config.reading.errors import ConfigError
from config.reading.words import LONGEST_PATH, excerpt, quoted

# As many links as Linux follows on the way to one file: path_resolution(7).
MOST_LINKS = 40
# git's own folder: what lies there is nobody's to review, and the address of a remote may hold a password.
GIT = ".git"
_REMEDY = "expected a regular file there, or a link to another file of the checkout"


class Outside(Exception):
    """A path leads out of the checkout; the text says by which link, and what to do."""


def resolve_inside(path: Path, root: Path) -> Path:
    """Where `path` leads, no link on the way to it leaving the checkout at `root`; what it leads to may be missing.

    A link may be absolute, where it names a place in the checkout. Raises Outside, and OSError for links in a circle.
    """
    top = Path(os.path.realpath(root))
    try:
        rest = list(path.relative_to(root).parts)
    except ValueError:
        raise Outside(
            f"{quoted(str(path), LONGEST_PATH)} is outside of the checkout and is not read, {_REMEDY}"
        ) from None
    here = top
    # The last link that was followed, which is what leads out when a step does.
    what = f"the path {quoted(str(path.relative_to(root)), LONGEST_PATH)}"
    links = 0
    while rest:
        step = rest.pop(0)
        if step == ".." and here == top:
            raise Outside(f"{what} leads out of the checkout and is not followed, {_REMEDY}")
        if step == GIT:
            raise Outside(f"{what} leads into {GIT} and is not followed, {_REMEDY}")
        here = here.parent if step == ".." else here / step
        if step == ".." or not here.is_symlink():
            continue
        links += 1
        if links > MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = here.readlink()
        what = f"the symbolic link {quoted(here.relative_to(top).as_posix(), LONGEST_PATH)} to {quoted(str(target), LONGEST_PATH)}"
        here = here.parent
        if target.is_absolute():
            home = next((each for each in (top, root.absolute()) if target.is_relative_to(each)), None)
            if home is None:
                raise Outside(f"{what} leads out of the checkout and is not followed, {_REMEDY}")
            here, target = top, target.relative_to(home)
        rest = [*target.parts, *rest]
    return here


def read(path: Path, root: Path, most: int = -1) -> bytes:
    """The bytes of a file, at most `most` of them. Raises Outside and OSError, also for what is no file."""
    # Its own place, so that nothing is followed that `resolve_inside` has not seen; a FIFO must not be waited for.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(resolve_inside(path, root), flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "is not a file")
        return file.read(most)


def text(path: Path, root: Path) -> str:
    """The text of a file. Raises ConfigError."""
    name = excerpt(path.relative_to(root).as_posix(), LONGEST_PATH)
    try:
        return read(path, root).decode("utf-8")
    except (Outside, OSError) as error:
        raise ConfigError(f"{name}: cannot be read: {error_text(error)}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{name}: is not text, expected UTF-8") from None


def refusal(path: Path, root: Path) -> str:
    """Why a path may not be followed, in the words of Outside or of the system; empty when it may."""
    try:
        resolve_inside(path, root)
    except (Outside, OSError) as error:
        return error_text(error)
    return ""


def error_text(error: Outside | OSError) -> str:
    """The reason alone: the system's own text repeats the path."""
    return (error.strerror or "") if isinstance(error, OSError) else str(error)
