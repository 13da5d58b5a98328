"""What a tenant has anywhere, and its removal without trace: the one command that deletes data."""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from automation import drift, drive, engine, ownership, portals, slots
from automation.errors import PortalError
from automation.holding import held
from automation.ownership import Ours, Owner, Side
from automation.pulumi import Stack
from config import names
from config.drive import SENTINEL
from config.errors import ConfigError
from config.keys import entries
from config.sections import Storage
from config.tenant import names as tenant_names
from toolchain.paths import data_directory

Say = Callable[[str], None]
# Seconds for the data stores to write what they have; it goes all the same, but a dump may be under way.
STOP_SECONDS = 10
# Of a big portal's media on a slow drive.
DELETE_LIMIT_SECONDS = 4 * 3600.0
# Whole or not at all by its own name: half of the data must never come up as if it were all. rm and mv follow no link,
# and the name has been checked.
LOOK = "for each in {0} .purged-{0}; do if [ -e /drive/$each ] || [ -L /drive/$each ]; then echo there; break; fi; done"
DELETE = (
    "cd /drive && rm -rf -- .purged-{0} && if [ -e {0} ] || [ -L {0} ]; then mv -T -- {0} .purged-{0}; fi "
    "&& rm -rf -- .purged-{0}"
)
PROVIDER = "pulumi:providers:docker"
# The default of storage/root in config/reference.yml.
USUAL_ROOT = str(entries(Storage)["root"].default)


@dataclass(frozen=True, kw_only=True)
class Trace:
    """All that there is of a tenant. `directory` is on the drive, empty where there is none."""

    tenant: str
    containers: tuple[str, ...]
    networks: tuple[str, ...]
    volumes: tuple[str, ...]
    directory: str
    stack: bool
    files: tuple[str, ...]
    owner: Owner = field(default_factory=lambda: Owner(side=Side.OURS))

    @property
    def empty(self) -> bool:
        """Whether there is nothing of it."""
        return not (
            self.containers or self.networks or self.volumes or self.directory or self.stack or self.files
        )

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "owner": self.owner.name or None, "side": str(self.owner.side)}


def trace(tenant: str, docker_host: str, root: str) -> Trace:
    """What there is of a tenant on an engine, on the drive at `root`, in the state, and on this machine.

    Raises ConfigError for what can be no tenant's name, NoEngine and DriveMissing: to leave half of it would be no purge.
    """
    checked(tenant)
    stack = Stack(name=tenant)
    with engine.connect(docker_host) as client:
        containers, networks, volumes = engine.objects(client, tenant)
        if not drive.has_sentinel(client, root):
            raise drive.DriveMissing(
                f"{root}/{SENTINEL} is not there on the engine's host, so the drive is not mounted, and what "
                f"{tenant} has on it can be neither seen nor deleted: nothing was removed. Mount the drive; or, where "
                f"there never was one, run `./portal drive init {root}` once"
            )
        there = drive.run(client, root, LOOK.format(tenant)) == "there"
        ids, names = ownership.labels(client, tenant)
        if there:
            names.add(ownership.record(client, root, tenant))
    known = stack.exists()
    files = [
        portals.TENANTS / f"{tenant}.yaml",
        portals.TENANTS / f"Pulumi.{tenant}.yaml",
        data_directory(os.environ) / "tenants" / tenant,
        *logs(slots.usual_home() / "logs", tenant),
    ]
    return Trace(
        tenant=tenant,
        containers=tuple(each.name for each in containers),
        networks=tuple(sorted(networks)),
        volumes=tuple(sorted(volumes)),
        directory=f"{root}/{tenant}" if there else "",
        stack=known,
        files=tuple(str(each) for each in files if each.exists()),
        # What is on this machine alone needs no proof.
        owner=Ours.of([tenant] if known else []).judge(tenant, ids, sorted(names))
        if containers or networks or volumes or there
        else Owner(side=Side.OURS),
    )


def logs(folder: Path, tenant: str) -> list[Path]:
    """What the plain CLI has logged of a tenant's runs: `organization+portals+<tenant>-<time>.log`."""
    own = re.compile(rf".*\+{re.escape(tenant)}-\d{{8}}T\d{{6}}\.log")
    return sorted(each for each in folder.glob("*.log") if own.fullmatch(each.name))


def checked(tenant: str) -> None:
    """Raises ConfigError for a name that no tenant can have: it becomes part of a path that is deleted."""
    try:
        names.tenant(tenant)
    except ValueError as error:
        raise ConfigError(f"{tenant!r}: {error}, for example {names.EXAMPLE}") from None


def where(tenant: str) -> tuple[str, str]:
    """The engine and the drive's root of a tenant: by its file, else by its stack, else the shell's own and the usual."""
    checked(tenant)
    if tenant in tenant_names(portals.TENANTS):
        loaded = portals.load(tenant)
        return loaded.placement.docker_host, loaded.storage.root
    stack = Stack(name=tenant)
    if stack.exists():
        told = drift.resources(stack.state())
        hosts = [
            each["inputs"].get("host") or ""
            for each in told
            if each["type"] == PROVIDER and each.get("inputs")
        ]
        roots = [
            str(PurePosixPath(each["outputs"]["directory"]).parent)
            for each in told
            if "directory" in (each.get("outputs") or {})
        ]
        return (hosts or [""])[0], (roots or [USUAL_ROOT])[0]
    return "", USUAL_ROOT


def purge(found: Trace, docker_host: str, root: str, say: Say) -> None:
    """Remove all of it, the tenant file last: interrupted anywhere, the same command goes on.

    Raises Locked while somebody changes the portal, and PortalError for what the engine or the backend refuses.
    """
    with held(Stack(name=found.tenant), "purge", say) as hold:
        # Somebody may have brought it up while the name was being typed.
        refuse_running(found, docker_host)
        whose, found = found.owner, trace(found.tenant, docker_host, root)
        if found.owner != whose:
            raise PortalError(
                f"portal {found.tenant} is {found.owner}'s by now: nothing was removed; look at it again"
            )
        with engine.connect(docker_host) as client:
            objects(client, found, say)
            if found.directory:
                say(f"deleting {found.directory}: many files take minutes")
                drive.run(client, root, DELETE.format(found.tenant), DELETE_LIMIT_SECONDS)
        if found.stack:
            hold.stack.remove()
            say(f"removed the stack {found.tenant} with its secrets")
        else:
            hold.forget()
    # The tenant file says where all the rest was, so it goes when that is gone.
    for each in sorted(map(Path, found.files), key=lambda path: path.name == f"{found.tenant}.yaml"):
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink(missing_ok=True)
        say(f"deleted {each}")


def objects(client: Any, found: Trace, say: Say) -> None:
    """Remove a tenant's containers, networks and volumes from its engine."""
    for name in found.containers:
        gone(client.stop, name, timeout=STOP_SECONDS)
        gone(client.remove_container, name, v=True, force=True)
        say(f"removed container {name}")
    for name in found.networks:
        gone(client.remove_network, name)
        say(f"removed network {name}")
    for name in found.volumes:
        gone(client.remove_volume, name)
        say(f"removed volume {name}")


def gone(remove: Callable[..., object], name: str, **how: Any) -> None:
    """Remove something that may have gone meanwhile."""
    from docker.errors import NotFound

    try:
        remove(name, **how)
    except NotFound:
        return


def refuse_running(found: Trace, docker_host: str) -> None:
    """Raises PortalError while services run: what people may be using is taken down first, and on purpose."""
    with engine.connect(docker_host) as client:
        running = [each.name for each in engine.containers(client, found.tenant) if each.state == "running"]
    if running:
        raise PortalError(
            f"portal {found.tenant} is up ({len(running)} containers run): nothing was removed; "
            f"`./portal destroy {found.tenant} --confirm {found.tenant}` first"
        )
