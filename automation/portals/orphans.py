"""What carries the portals' labels or lies in their places, and belongs to no tenant: by portal, and whose that is."""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from automation.drive import data_locations, sentinel, symbolic_links
from automation.drive.symbolic_links import Link
from automation.engine import inventory
from automation.errors import NoEngine
from automation.portals import ownership, tenant_files
from automation.portals.ownership import NOBODY, Owner, OwnState, Side
from automation.stack import Stack, stacks
from config.portal import owner as naming_owner
from config.portal.labels import OWNER, TENANT
from config.reading.words import count_of
from config.tenant.tenant import Tenant, names
from config.values import names as naming
from config.values import placement
from config.values.drive_paths import SENTINEL

# As purge calls what it is deleting.
HALF = ".purged-"
# Directories, and links to what may be one; then what those directories say of their owner that say something. A name may hold
# any letter but NUL and a slash, line breaks too.
BETWEEN = "//"
LIST = (
    f"cd /drive && find . -mindepth 1 -maxdepth 1 ! -name '{SENTINEL}' "
    r"\( -type d -printf 'd\0%P\0\0' -o -type l -printf 'l\0%P\0%l\0' \) "
    f"&& printf '{BETWEEN}\\0' && for each in ./*/{ownership.RECORD} ./{HALF}*/{ownership.RECORD}; do "
    'at=${each%/*}; if [ -f "$each" ] && [ ! -L "$each" ] && [ ! -L "$at" ] && [ ! -L "${at%/*}" ]; then '
    'printf \'%s\\0%s\\0\' "$each" "$(head -c 200 "$each" | head -n 1)"; fi; done'
)


@dataclass(frozen=True, kw_only=True)
class Orphan:
    """One thing without a tenant. `kind` is container, network, volume, directory, link or stack; `where` an engine or root.

    `id` is what the engine calls it, `owner` what it says itself of whose it is, `target` what a symbolic link leads to.
    """

    kind: str
    name: str
    tenant: str
    where: str = ""
    id: str = ""
    owner: str = ""
    target: str = ""

    @property
    def remedy(self) -> str:
        """How to remove it, or to take it back."""
        if self.kind == "link":
            return symbolic_links.describe(
                self.where, Link(name=self.name.removeprefix(f"{self.where}/"), target=self.target)
            )
        try:
            naming.tenant(self.tenant)
        except ValueError:
            return "not a tenant name: check it by hand"
        if f"/{HALF}" in self.name:
            # The tenant may be there again, and a purge would take that, too.
            return f"left by an interrupted purge: on the engine's host, rm -rf {self.name}"
        words = {"directory": f" --root {self.where}", "stack": ""}.get(
            self.kind, f" --docker-host {self.where}" if self.where else ""
        )
        return f"./portal purge {self.tenant}{words} --dry-run, or restore tenants/{self.tenant}.yaml"

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        return {key: value for key, value in asdict(self).items() if key not in ("id", "owner")}


@dataclass(frozen=True, kw_only=True)
class Portal:
    """All that there is of one portal without a tenant, and whose it is."""

    tenant: str
    owner: Owner
    parts: tuple[Orphan, ...]

    @property
    def what(self) -> str:
        """What there is, in a few words."""
        return summary((self,))

    @property
    def remedy(self) -> str:
        """How to remove it, or whom to ask."""
        one = next(
            (each for kind in ("link", "directory") for each in self.parts if each.kind == kind),
            self.parts[0],
        )
        if self.owner.side is Side.OTHERS:
            return f"it belongs to another state: purge it with the state of {self.owner.name}"
        if self.owner.side is Side.UNKNOWN and one.remedy.startswith("./portal purge"):
            return f"another checkout or an earlier version may have created it; if nobody needs it: {one.remedy} (with --owner {NOBODY})"
        return one.remedy

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "tenant": self.tenant,
            "owner": self.owner.name or None,
            "side": str(self.owner.side),
            "remedy": self.remedy,
            "parts": [each.facts() for each in self.parts],
        }


def summary(portals: Iterable[Portal]) -> str:
    """What there is of these portals together, in a few words."""
    counts = Counter(part.kind for each in portals for part in each.parts)
    return ", ".join(count_of(count, kind) for kind, count in sorted(counts.items()))


def by_portal(orphans: Iterable[Orphan], ours: OwnState) -> list[Portal]:
    """By portal, in the order of their names. What an interrupted purge has left is one by itself."""
    parts: dict[tuple[str, bool], list[Orphan]] = defaultdict(list)
    for each in orphans:
        parts[each.tenant, f"/{HALF}" in each.name].append(each)
    return [
        Portal(
            tenant=tenant,
            owner=ours.judge(tenant, [each.id for each in these if each.id], [each.owner for each in these]),
            parts=tuple(sorted(these, key=lambda each: (each.kind, each.name))),
        )
        for (tenant, _), these in sorted(parts.items())
    ]


def find(say: Callable[[str], None] = lambda text: None) -> list[Portal]:
    """All of them: on each engine and drive that a tenant names, the shell's own engine, and in the state.

    `say` is told of each drive that could not be looked at, for what is on it is not known; and of each engine that only a stack
    without a file remembers.

    Raises ConfigError for a tenant file that is wrong, since what it owns is not known then; NoEngine, PortalError.
    """
    known = names(tenant_files.TENANTS)
    tenants = [tenant_files.load(each) for each in known]
    left = [each for each in stacks() if each not in known]
    orphans = [Orphan(kind="stack", name=each, tenant=each) for each in left]
    where = roots_by_engine(tenants)
    asked = frozenset(where)
    words = {placement.address_of(each, os.environ): each for each in where}
    for each in left:
        # What is on a drive is known from what happened, also when the file that named the drive is gone.
        for home in data_locations.known_locations(Stack(name=each), Stack(name=each).state()):
            where.setdefault(words.get(home.host, home.host), set()).add(home.root)
    for docker_host, roots in where.items():
        try:
            with inventory.connect(docker_host) as client:
                orphans += orphaned_objects(client, known, docker_host)
                for root in sorted(roots):
                    if sentinel.has_sentinel(client, root):
                        orphans += orphaned_directories(client, root, known)
                    else:
                        say(f"not searched: {sentinel.missing_text(root)}")
        except NoEngine as error:
            if docker_host in asked:
                raise
            # Of the past alone: it may be there no more, or be reached by another address.
            say(f"not searched: {error}")
    return by_portal(orphans, OwnState.of(left))


def roots_by_engine(tenants: Iterable[Tenant]) -> dict[str, set[str]]:
    """The drives' roots by engine; the shell's own engine is looked at, whether or not a tenant is on it."""
    roots: dict[str, set[str]] = {"": set()}
    for each in tenants:
        roots.setdefault(each.placement.docker_host, set()).add(each.storage.root)
    return roots


def orphaned_objects(client: Any, known: Collection[str], docker_host: str) -> list[Orphan]:
    """Containers, networks and volumes with our label and a tenant that there is not."""
    label = {"label": TENANT}
    listed = [
        *(
            ("container", each["Names"][0].lstrip("/"), each)
            for each in client.containers(all=True, filters=label)
        ),
        *(("network", each["Name"], each) for each in client.networks(filters=label)),
        *(("volume", each["Name"], each) for each in client.volumes(filters=label)["Volumes"] or []),
    ]
    return [
        Orphan(
            kind=kind,
            name=name,
            tenant=each["Labels"][TENANT],
            where=docker_host,
            id="" if kind == "volume" else each["Id"],
            owner=naming_owner.plain(each["Labels"].get(OWNER, "")),
        )
        for kind, name, each in listed
        if each["Labels"][TENANT] not in known
    ]


def orphaned_directories(client: Any, root: str, known: Collection[str]) -> list[Orphan]:
    """Directories at the top of a mounted drive that are no tenant's, and links."""
    entries, owners = parse_listing(sentinel.run_on_drive(client, root, LIST, reads=True))
    return [
        Orphan(
            kind="link" if kind == "l" else "directory",
            name=f"{root}/{each}",
            tenant=each.removeprefix(HALF),
            where=root,
            owner=owners.get(each, ""),
            target=target,
        )
        for kind, each, target in sorted(entries)
        # Half purged is nobody's, whoever has its name by now.
        if each.startswith(HALF) or (each not in known and not each.startswith(".") and each != "lost+found")
    ]


def parse_listing(listed: str) -> tuple[list[tuple[str, str, str]], dict[str, str]]:
    """What LIST prints: kind (`d` or `l`), name and target of each entry of a drive, and the owner that a directory names.

    Names and targets are without what would move a terminal's cursor.
    """
    fields = listed.split("\0")
    entries = []
    place = 0
    # A link may lead to BETWEEN, but no kind is that.
    while fields[place] != BETWEEN:
        kind, name, target = fields[place : place + 3]
        entries.append((kind, printable(name), printable(target)))
        place += 3
    records = fields[place + 1 :]
    return entries, dict(map(parse_owner, records[::2], records[1::2]))


def printable(text: str) -> str:
    """A name of a drive's as people may see it."""
    return "".join(each if each.isprintable() else "?" for each in text)


def parse_owner(path: str, owner: str) -> tuple[str, str]:
    """A directory's name and the owner that it names: by `./acme/.portal/owner` and `ops@host-1a2b3c4d`."""
    name = path.removeprefix("./").removesuffix(f"/{ownership.RECORD}")
    return printable(name), naming_owner.plain(owner)
