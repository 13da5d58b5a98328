"""What a tenant has anywhere, and its removal without trace: the one command that deletes data."""

import os
import re
import shutil
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from automation.drive import data_locations, sentinel, symbolic_links
from automation.drive.data_locations import DataLocation
from automation.engine import inventory
from automation.errors import NoEngine, PortalError
from automation.locks.stack_lock import lock_stack
from automation.portals import ownership, tenant_files
from automation.portals.ownership import Owner, OwnState, Side
from automation.runs import workspaces
from automation.stack import Stack
from config.reading.errors import ConfigError
from config.reading.keys import entries
from config.tenant.sections import Storage
from config.tenant.tenant import load_valid
from config.tenant.tenant import names as tenant_names
from config.values import names
from config.values import placement as naming
from config.values.drive_paths import SENTINEL
from toolchain.paths import data_directory

Say = Callable[[str], None]
# Seconds for the data stores to write what they have; it goes all the same, but a dump may be under way.
STOP_SECONDS = 10
# Of a big portal's media on a slow drive.
DELETE_LIMIT_SECONDS = 4 * 3600.0
# Whole or not at all by its own name: half of the data must never come up as if it were all. rm and mv follow no link, so
# that of one they would delete the link and leave the data. The name has been checked.
DATA_EXISTS_SCRIPT = "for each in {0} .purged-{0}; do if [ -e /drive/$each ] || [ -L /drive/$each ]; then echo there; break; fi; done"
DELETE_SCRIPT = (
    'cd /drive && for each in {0} .purged-{0}; do if [ -L $each ]; then echo "$each is a symbolic '
    'link: neither it nor what it leads to was deleted"; exit 1; fi; done && rm -rf -- .purged-{0} '
    '&& if [ -e {0} ]; then mv -T -- {0} .purged-{0}; fi && rm -rf -- .purged-{0} || {{ echo "what '
    "is still there is in {0} or .purged-{0}; a disk that is mounted there is busy: empty and "
    "unmount it on the engine's host, then run the command again\"; exit 1; }}"
)
# The default of storage/root in config/reference.yml.
USUAL_ROOT = str(entries(Storage)["root"].default)


@dataclass(frozen=True, kw_only=True)
class SearchScope:
    """Where to look for a tenant: at `places`, all of which have to be there, and at `maybe`, those that are.

    `gone` are drives and engines that somebody has given up: what is there is neither seen nor deleted.
    """

    places: tuple[DataLocation, ...]
    maybe: tuple[DataLocation, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def hosts(self) -> tuple[str, ...]:
        """The engines, the first being the tenant's own."""
        return tuple(dict.fromkeys(each.host for each in self.places))


@dataclass(frozen=True, kw_only=True)
class Trace:
    """All that there is of a tenant: names by engine, and directories by drive, as `(engine, name)`.

    `drives` are the roots that were looked at, `unseen` those places that were given up.
    """

    tenant: str
    containers: tuple[tuple[str, str], ...] = ()
    networks: tuple[tuple[str, str], ...] = ()
    volumes: tuple[tuple[str, str], ...] = ()
    directories: tuple[tuple[str, str], ...] = ()
    stack: bool
    files: tuple[str, ...]
    owner: Owner = field(default_factory=lambda: Owner(side=Side.OURS))
    drives: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing of it."""
        return not (
            self.containers or self.networks or self.volumes or self.directories or self.stack or self.files
        )

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        kinds = ("containers", "networks", "volumes", "directories")
        return {
            **asdict(self),
            **{kind: [name for _, name in getattr(self, kind)] for kind in kinds},
            "owner": self.owner.name or None,
            "side": str(self.owner.side),
        }


def trace(tenant: str, scope: SearchScope) -> Trace:
    """What there is of a tenant on engines, on drives, in the state, and on this machine.

    Raises ConfigError for what can be no tenant's name, NoEngine, DriveMissing, and DataLinked where a link stands for the
    tenant's data: to leave half of it would be no purge.
    """
    require_valid_name(tenant)
    known = Stack(name=tenant).exists()
    ours = OwnState.of([tenant] if known else [])
    objects: dict[str, list[tuple[str, str]]] = {
        kind: [] for kind in ("containers", "networks", "volumes", "directories")
    }
    drives: list[str] = []
    ids: set[str] = set()
    owners: set[str] = set()
    for host, words in engines(scope).items():
        with inventory.connect(host) as client:
            containers, networks, volumes = inventory.objects(client, tenant)
            objects["containers"] += [(host, each.name) for each in containers]
            objects["networks"] += [(host, each) for each in sorted(networks)]
            objects["volumes"] += [(host, each) for each in sorted(volumes)]
            here, owner_names = ownership.ids_and_owners(client, tenant)
            ids |= here
            owners |= owner_names
            for root, surely in roots(client, tenant, scope, words).items():
                drives.append(root)
                if (
                    sentinel.run_on_drive(client, root, DATA_EXISTS_SCRIPT.format(tenant), reads=True)
                    != "there"
                ):
                    continue
                owner = ownership.owner_on_drive(client, root, tenant)
                # Of the same name at another tenant's root: where another state says that it is its own, it is.
                if surely or ours.judge(tenant, [], [owner]).side is not Side.OTHERS:
                    links = sentinel.run_on_drive(
                        client, root, symbolic_links.LINKS_SCRIPT.format(tenant), reads=True
                    )
                    symbolic_links.refuse(root, symbolic_links.parse(links), "nothing was removed")
                    objects["directories"].append((host, f"{root}/{tenant}"))
                    owners.add(owner)
    if not drives:
        raise sentinel.DriveMissing(drive_missing(tenant, USUAL_ROOT))
    files = [
        tenant_files.TENANTS / f"{tenant}.yaml",
        tenant_files.TENANTS / f"Pulumi.{tenant}.yaml",
        data_directory(os.environ) / "tenants" / tenant,
        *log_files(workspaces.usual_home() / "logs", tenant),
    ]
    return Trace(
        tenant=tenant,
        **{kind: tuple(each) for kind, each in objects.items()},
        stack=known,
        files=tuple(str(each) for each in files if each.exists()),
        # What is on this machine alone needs no proof.
        owner=ours.judge(tenant, ids, sorted(owners)) if any(objects.values()) else Owner(side=Side.OURS),
        drives=tuple(dict.fromkeys(drives)),
        unseen=scope.gone,
    )


def engines(scope: SearchScope) -> dict[str, list[str]]:
    """The engines to look at, each once, with all words that lead to it: a state and a file may have other words for one.

    Raises NoEngine, with how to give one up: a way to it, such as a tunnel's socket, may be there no more.
    """
    hosts: dict[str, list[str]] = {}
    known: dict[str, str] = {}
    for host in scope.hosts:
        try:
            with inventory.connect(host) as client:
                identity = str(client.info().get("ID") or host)
        except NoEngine as error:
            raise NoEngine(
                f"{error}. The portal was brought up by {host}: nothing was removed. If that engine no longer exists, or is "
                f"reached by another address now, pass `--gone {host}`"
            ) from None
        hosts.setdefault(known.setdefault(identity, host), []).append(host)
    return hosts


def roots(client: Any, tenant: str, scope: SearchScope, hosts: Collection[str]) -> dict[str, bool]:
    """The drives of an engine's host to look at, and whether the tenant's data is known to be there. Raises DriveMissing for one that has to be there and is not."""
    known_roots = {}
    for each in data_locations.unique((*scope.places, *scope.maybe)):
        if each.host not in hosts or not each.root or each.root in known_roots:
            continue
        there = sentinel.read_sentinel(client, each.root)
        if there is not None and (not each.drive or each.drive == there.id):
            known_roots[each.root] = each in scope.places
        elif each in scope.places and each.root:
            raise sentinel.DriveMissing(
                drive_missing(tenant, each.root)
                if there is None
                else f"{each.root} is another drive ({there.id or 'marked by hand'}) than the one "
                f"with the data of {tenant} ({each.drive}): nothing was removed. Mount that "
                f"drive; if it no longer exists, pass `--gone {each.root}`"
            )
    return known_roots


def drive_missing(tenant: str, root: str) -> str:
    """Why nothing is removed while a drive is not there."""
    return (
        f"{root}/{SENTINEL} does not exist on the engine's host, so the drive is not mounted, and the "
        f"data of {tenant} on it can be neither seen nor deleted: nothing was removed. Mount the "
        f"drive; for a new drive, run `./portal drive init {root}` once; if it no longer exists, pass "
        f"`--gone {root}`"
    )


def log_files(folder: Path, tenant: str) -> list[Path]:
    """What the plain CLI has logged of a tenant's runs: `organization+portals+<tenant>-<time>.log`."""
    own = re.compile(rf".*\+{re.escape(tenant)}-\d{{8}}T\d{{6}}\.log")
    return sorted(each for each in folder.glob("*.log") if own.fullmatch(each.name))


def require_valid_name(tenant: str) -> None:
    """Raises ConfigError for a name that no tenant can have: it becomes part of a path that is deleted."""
    try:
        names.tenant(tenant)
    except ValueError as error:
        raise ConfigError(f"{tenant!r}: {error}, for example {names.EXAMPLE}") from None


def search_scope(
    tenant: str, *, root: str = "", docker_host: str = "", gone: tuple[str, ...] = ()
) -> SearchScope:
    """Where a tenant's data is known to be or may be: by what happened, by its file, and by what the command says.

    Its file alone says where it would be brought up next. `gone` names drives and engines that are no more.
    """
    require_valid_name(tenant)
    stack = Stack(name=tenant)
    locations = list(data_locations.known_locations(stack, stack.state())) if stack.exists() else []
    tenants = tenant_names(tenant_files.TENANTS)
    if tenant in tenants:
        loaded = tenant_files.load(tenant)
        locations.append(DataLocation(root=loaded.storage.root, host=address(loaded.placement.docker_host)))
    if root or docker_host:
        locations.append(
            DataLocation(
                root=root, host=address(docker_host) if docker_host or not locations else locations[0].host
            )
        )
    kept = [each for each in locations if each.root not in gone and each.host not in gone]
    lost = tuple(each for each in gone if each in {one for p in locations for one in (p.root, p.host)})
    hosts = dict.fromkeys(each.host for each in kept) or {address(""): None}
    # Of those whose files can be read: what is wrong with another tenant's file is no matter here.
    readable, _ = load_valid(tenant_files.TENANTS)
    others = {USUAL_ROOT, *(each.storage.root for each in readable.values())}
    return SearchScope(
        # An engine without a root: what runs there is looked for all the same.
        places=data_locations.unique(kept) or (DataLocation(root="", host=address("")),),
        maybe=(
            # By another address the engine that was given up may be one of these: its drive is known by the id.
            *(
                replace(each, host=host)
                for each in locations
                if each.host in gone and each.root not in gone
                for host in hosts
            ),
            *(
                DataLocation(root=each, host=host)
                for host in hosts
                for each in sorted(others)
                if each not in gone
            ),
        ),
        gone=lost,
    )


def address(docker_host: str) -> str:
    """An engine's address, of nothing that of the shell's own."""
    return naming.address_of(docker_host, os.environ)


def purge(remains: Trace, scope: SearchScope, say: Say) -> None:
    """Remove all of it, the tenant file last: interrupted anywhere, the same command goes on.

    Raises Locked while somebody changes the portal, and PortalError for what the engine or the backend refuses.
    """
    with lock_stack(Stack(name=remains.tenant), "purge", say) as hold:
        # Somebody may have brought it up while the name was being typed.
        refuse_running(remains.tenant, scope)
        whose, remains = remains.owner, trace(remains.tenant, scope)
        if remains.owner != whose:
            raise PortalError(
                f"portal {remains.tenant} belongs to {remains.owner} by now: nothing was removed; check it again"
            )
        everything = (*remains.containers, *remains.networks, *remains.volumes, *remains.directories)
        for host in dict.fromkeys(each for each, _ in everything):
            with inventory.connect(host) as client:
                remove_objects(client, remains, host, say)
                for each in on_engine(remains.directories, host):
                    say(f"deleting {each}: many files take minutes")
                    root = str(PurePosixPath(each).parent)
                    # While the directory is there: nobody else knows the project's number.
                    sentinel.remove_own_limit(client, root, remains.tenant, say)
                    sentinel.run_on_drive(
                        client, root, DELETE_SCRIPT.format(remains.tenant), DELETE_LIMIT_SECONDS
                    )
        if remains.stack:
            hold.stack.remove()
            say(f"removed the stack {remains.tenant} with its secrets")
        else:
            hold.forget()
    # The tenant file says where all the rest was, so it goes when that is gone.
    for path in sorted(map(Path, remains.files), key=lambda path: path.name == f"{remains.tenant}.yaml"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        say(f"deleted {path}")


def require_nothing_left(tenant: str, scope: SearchScope) -> None:
    """Raises PortalError when something of a tenant is left after a purge: made meanwhile, or not removed."""
    left = trace(tenant, scope)
    if left.empty:
        return
    names = [
        name for kind in (left.containers, left.networks, left.volumes, left.directories) for _, name in kind
    ]
    names += [*(["its stack"] if left.stack else []), *left.files]
    raise PortalError(
        f"something of {tenant} is left, or was created meanwhile: {', '.join(names)}; run the same command again"
    )


def on_engine(pairs: tuple[tuple[str, str], ...], host: str) -> list[str]:
    """What of a trace is on an engine."""
    return [name for where, name in pairs if where == host]


def remove_objects(client: Any, remains: Trace, host: str, say: Say) -> None:
    """Remove a tenant's containers, networks and volumes from one engine."""
    for name in on_engine(remains.containers, host):
        remove_if_present(client.stop, name, timeout=STOP_SECONDS)
        remove_if_present(client.remove_container, name, v=True, force=True)
        say(f"removed container {name}")
    for name in on_engine(remains.networks, host):
        remove_if_present(client.remove_network, name)
        say(f"removed network {name}")
    for name in on_engine(remains.volumes, host):
        remove_if_present(client.remove_volume, name)
        say(f"removed volume {name}")


def remove_if_present(remove: Callable[..., object], name: str, **how: Any) -> None:
    """Remove something that may have gone meanwhile."""
    from docker.errors import NotFound

    try:
        remove(name, **how)
    except NotFound:
        return


def refuse_running(tenant: str, scope: SearchScope) -> None:
    """Raises PortalError while services run: what people may be using is taken down first, and on purpose."""
    if count := count_running(tenant, scope):
        raise PortalError(
            f"portal {tenant} is up ({count} containers run): nothing was removed; "
            f"`./portal destroy {tenant} --confirm {tenant}` first"
        )


def count_running(tenant: str, scope: SearchScope) -> int:
    """How many of a portal's containers run, on all engines that are looked at."""
    count = 0
    for host in engines(scope):
        with inventory.connect(host) as client:
            count += sum(each.state == "running" for each in inventory.containers(client, tenant))
    return count
