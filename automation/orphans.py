"""What carries the portals' labels or lies in their places, and belongs to no tenant."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from automation import drive, engine, portals
from automation.pulumi import stacks
from config import names as naming
from config.drive import SENTINEL
from config.tenant import Tenant, names

LABEL = "portal.tenant"
# As purge calls what it is deleting.
HALF = ".purged-"


@dataclass(frozen=True, kw_only=True)
class Orphan:
    """One thing without a tenant. `kind` is container, network, volume, directory or stack; `where` an engine or root."""

    kind: str
    name: str
    tenant: str
    where: str = ""

    @property
    def way_out(self) -> str:
        """How to remove it, or to take it back."""
        try:
            naming.tenant(self.tenant)
        except ValueError:
            return "no tenant's name: look at it by hand"
        if f"/{HALF}" in self.name:
            # The tenant may be there again, and a purge would take that, too.
            return f"what an interrupted purge has left: on the engine's host, rm -rf {self.name}"
        words = {"directory": f" --root {self.where}", "stack": ""}.get(
            self.kind, f" --docker-host {self.where}" if self.where else ""
        )
        return f"./portal purge {self.tenant}{words} --dry-run, or bring tenants/{self.tenant}.yaml back"

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "way_out": self.way_out}


def find() -> list[Orphan]:
    """All of them: on each engine and drive that a tenant names, the shell's own engine, and in the state.

    Raises ConfigError for a tenant file that is wrong, since what it owns is not known then; NoEngine, PortalError.
    """
    known = names(portals.TENANTS)
    tenants = [portals.load(each) for each in known]
    found = [Orphan(kind="stack", name=each, tenant=each) for each in stacks() if each not in known]
    for docker_host, roots in places(tenants).items():
        with engine.connect(docker_host) as client:
            found += objects(client, known, docker_host)
            for root in roots:
                found += directories(client, root, known)
    return sorted(found, key=lambda each: (each.tenant, each.kind, each.name))


def places(tenants: Iterable[Tenant]) -> dict[str, set[str]]:
    """The drives' roots by engine; the shell's own engine is looked at, whether or not a tenant is on it."""
    found: dict[str, set[str]] = {"": set()}
    for each in tenants:
        found.setdefault(each.placement.docker_host, set()).add(each.storage.root)
    return found


def objects(client: Any, known: Collection[str], docker_host: str) -> list[Orphan]:
    """Containers, networks and volumes with our label and a tenant that there is not."""
    label = {"label": LABEL}
    listed = [
        *(
            ("container", each["Names"][0].lstrip("/"), each)
            for each in client.containers(all=True, filters=label)
        ),
        *(("network", each["Name"], each) for each in client.networks(filters=label)),
        *(("volume", each["Name"], each) for each in client.volumes(filters=label)["Volumes"] or []),
    ]
    return [
        Orphan(kind=kind, name=name, tenant=each["Labels"][LABEL], where=docker_host)
        for kind, name, each in listed
        if each["Labels"][LABEL] not in known
    ]


def directories(client: Any, root: str, known: Collection[str]) -> list[Orphan]:
    """Directories at the top of a mounted drive that are no tenant's."""
    if not drive.has_sentinel(client, root):
        return []
    listed = drive.run(
        client, root, f"cd /drive && find . -mindepth 1 -maxdepth 1 -type d ! -name '{SENTINEL}'"
    )
    found = sorted(line.removeprefix("./") for line in listed.splitlines())
    return [
        Orphan(kind="directory", name=f"{root}/{each}", tenant=each.removeprefix(HALF), where=root)
        for each in found
        # Half purged is nobody's, whoever has its name by now.
        if each.startswith(HALF) or (each not in known and not each.startswith(".") and each != "lost+found")
    ]
