"""Symbolic links and files on a drive where a portal's own directories belong: what a link leads to is nobody's to find or to delete.

Whoever looks at a directory by its name would see what a link leads to, and whoever deletes it would delete the link alone.
Only root of the engine's host, or of the file server, makes one there: the services write below these directories.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from automation.errors import PortalError

# At the portal's directory, at what an interrupted purge has left, and right inside both. Deeper ones are the services' own.
# What is printed is plain text without tabs and line ends, whatever a name or a target has.
LINKS_SCRIPT = r"""
cd /drive || exit 1
for each in {0} .purged-{0}; do
    if [ -L "$each" ]; then set -- "$each"; else set -- "$each"/* "$each"/.[!.]* "$each"/..?*; fi
    for link in "$@"; do
        [ -L "$link" ] || continue
        name=$(printf %s "$link" | head -c 300 | tr -c '[:print:]' '?')
        target=$(readlink -n -- "$link" | head -c 300 | tr -c '[:print:]' '?')
        printf 'link %s\t%s\n' "$name" "$target"
    done
done
if [ -e {0} ] && [ ! -d {0} ] && [ ! -L {0} ]; then printf 'file {0}\t-\n'; fi
"""
_LINK = re.compile(r"^(link|file) ([^\t\n]+)\t([^\t\n]*)$", re.MULTILINE)


class DataLinked(PortalError):
    """A symbolic link or a file stands where a portal has its data: the data is not where the drive has it."""

    exit_code = 7


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link by its path below the drive's root, and what it leads to, as it says itself; or a `file`, which leads nowhere."""

    name: str
    target: str
    kind: str = "link"


def parse(output: str) -> tuple[Link, ...]:
    """The links and files that `LINKS_SCRIPT` has printed."""
    return tuple(Link(kind=kind, name=name, target=target) for kind, name, target in _LINK.findall(output))


def describe(root: str, link: Link) -> str:
    """What stands where, and the remedy."""
    if link.kind == "file":
        return (
            f"{root}/{link.name} on the engine's host is no directory, and the portal's data belongs there. "
            "On that host, move it away"
        )
    return (
        f"{root}/{link.name} on the engine's host is a symbolic link to {link.target}, so the data is "
        "not in its place on the drive. On that host, remove the link and move the data back to "
        f"{root}/{link.name} (to use another disk, mount it there)"
    )


def refuse(root: str, links: Sequence[Link], untouched: str) -> None:
    """Raises DataLinked for the first of these links; `untouched` says what was not done."""
    if links:
        raise DataLinked(f"{untouched}: {describe(root, links[0])}, then run the command again")
