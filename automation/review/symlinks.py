"""Under which other paths a checkout's symbolic links show a file."""

import os
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path

# As many links as Linux follows on the way to one file: path_resolution(7).
MOST = 40
# More paths of one file than any checkout means.
MOST_PATHS = 1000


class Endless(Exception):
    """Symbolic links lead into each other, so nobody can tell all the paths of a file."""


def symlinks(root: Path) -> dict[str, str]:
    """Every symbolic link below `root` and where it leads, both relative to `root`, by text: what it leads to may be gone.

    A link that leads out of the checkout is left out: whatever would read through it refuses to (config/reading/checkout.py).
    """
    targets = {}
    for folder, folders, files in os.walk(root):
        if ".git" in folders:
            folders.remove(".git")
        for path in (Path(folder, name) for name in (*folders, *files)):
            if not path.is_symlink():
                continue
            target = os.path.relpath(path.parent / path.readlink(), root)
            if not target.startswith(".."):
                targets[path.relative_to(root).as_posix()] = target
    return targets


def aliases(path: str, links: Mapping[str, str]) -> Iterator[str]:
    """Every other path by which a program that follows `links` can come to `path`, each once.

    Raises Endless when there is no end of them.
    """
    known = {path}
    new = [path]
    for _ in range(MOST):
        new = [
            alias
            for each in new
            for link, target in sorted(links.items())
            if (alias := _through(each, link, target)) and alias not in known
        ]
        if not new:
            return
        known.update(new)
        if len(known) > MOST_PATHS:
            break
        yield from dict.fromkeys(new)
    raise Endless(f"{path} can be read through symbolic links that lead into each other")


def _through(path: str, link: str, target: str) -> str:
    if target == ".":
        return posixpath.join(link, path)
    if path == target or path.startswith(f"{target}/"):
        return link + path[len(target) :]
    return ""
