"""What can be done to a portal: preview, up, destroy, status. The commands are thin shells over these."""

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from automation import drift, drive, engine, recovery
from automation.errors import NotHealthy, PortalError
from automation.images import build, derive, digests, missing, pull
from automation.progress import building
from automation.pulumi import ROOT, Stack
from config import pins, sources
from config.release import Releases
from config.tenant import Tenant
from toolchain.paths import data_directory

Say = Callable[[str], None]
TENANTS = ROOT / "tenants"
IMAGES = ROOT / "images"
# The slowest starter needs 12 s alone; a host that comes back starts all its portals at once.
HEALTHY_LIMIT_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class Change:
    """One resource that a preview would touch."""

    urn: str
    name: str
    type: str
    op: str
    properties: tuple[str, ...]


def load(name: str) -> Tenant:
    """The tenant of that name, its file checked whole. Raises ConfigError."""
    return Tenant.load(name, TENANTS)


def preview(tenant: Tenant, *, refresh: bool = False) -> list[Change]:
    """What `up` would change, without changing it. Raises PortalError with Pulumi's reason."""
    stack = Stack(name=tenant.name)
    stack.ensure()
    told = stack.read("preview", "--json", *(["--refresh"] if refresh else []))
    return changes(told)


def changes(told: dict[str, Any]) -> list[Change]:
    """The steps of a `pulumi preview --json` that are more than `same` or a mere look."""
    return [
        Change(
            urn=step["urn"],
            name=step["urn"].split("::")[-1],
            type=step["urn"].split("::")[-2].split("$")[-1],
            op=step["op"],
            properties=tuple(sorted(step.get("detailedDiff") or {})),
        )
        for step in told.get("steps") or []
        if step["op"] not in ("same", "read", "refresh")
    ]


def up(tenant: Tenant, say: Say, *, quiet: bool = False) -> dict[str, Any]:
    """Bring a portal to what its file says and wait until it is healthy; return its facts.

    Builds missing images, mends what an interrupted run left, runs failed gates again, starts what was stopped.
    Raises PortalError and its kinds.
    """
    prepare_images(tenant, say)
    stack = Stack(name=tenant.name)
    stack.ensure()
    with engine.connect(tenant.placement.docker_host) as client:
        state = recovery.recover(stack, client, say)
        words = [word for urn in recovery.failed_gates(state) for word in ("--replace", urn)]
        gone = drift.missing(state, *engine.objects(client, tenant.name))
        if gone:
            say(f"not there or not running: {', '.join(gone)}; looking at what the engine really has first")
            words.append("--refresh")
        drive.check(client, tenant)
        stack.run("up", "--yes", "--skip-preview", *words, quiet=quiet)
        late = engine.wait_healthy(client, tenant, HEALTHY_LIMIT_SECONDS)
        if late:
            raise NotHealthy(
                f"portal {tenant.name}: waited {HEALTHY_LIMIT_SECONDS:.0f} s for "
                + ", ".join(f"{each.service} ({each.health or each.state})" for each in late)
                + f"; look at `docker logs {late[0].name or tenant.name}`"
            )
    return facts(tenant)


def prepare_images(tenant: Tenant, say: Say) -> None:
    """Build or pull the images of the tenant's release that its engine does not have."""
    host = tenant.placement.docker_host
    wanted = missing(sources.roles(tenant), docker_host=host)
    if wanted:
        say(f"building {len(wanted)} images that are not there yet: {', '.join(wanted)}")
        with building() as progress:
            build(wanted, docker_host=host, on_event=progress)
    pull(sources.pulled(tenant), say, docker_host=host)
    with building() as progress:
        derive(sources.derived(tenant, IMAGES), docker_host=host, on_event=progress)


def pin(release: str, say: Say) -> Path:
    """Write the digests of a release's public images (of all with `all`) into config/pins.yml, keeping the others.

    Raises BuildError, and ValueError for a release that there is not.
    """
    path = ROOT / "config" / pins.NAME
    releases = Releases(ROOT / "config" / "releases")
    images = releases.public() if release == "all" else releases.load(release).public()
    known = {**pins.load(path), **digests(images, say)}
    # Whole or not at all: a portal is planned from it.
    fresh = path.with_suffix(".new")
    fresh.write_text(pins.text({each: known[each] for each in releases.public() if each in known}))
    fresh.replace(path)
    return path


def facts(tenant: Tenant) -> dict[str, Any]:
    """The stack's outputs, the admin's password moved into a file of its own."""
    told = Stack(name=tenant.name).outputs(secrets=True)
    password = told.pop("admin_password")
    path = password_file(tenant.name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists() or path.read_text() != password:
        fresh = path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(password)
        fresh.replace(path)
    told["admin"] = {**told["admin"], "password_file": str(path)}
    return told


def password_file(tenant: str) -> Path:
    """Where the first log-in's password lies on the operator's machine, mode 0600."""
    return data_directory(os.environ) / "tenants" / tenant / "admin-password"


def destroy(tenant: Tenant, say: Say, *, quiet: bool = False) -> str:
    """Remove a portal's containers, networks and volumes; return the directory where its data stays."""
    stack = Stack(name=tenant.name)
    stack.ensure()
    with engine.connect(tenant.placement.docker_host) as client:
        recovery.recover(stack, client, say)
    stack.run("destroy", "--yes", "--skip-preview", quiet=quiet)
    return tenant.directory


def destroys(tenant: Tenant) -> list[Change]:
    """What `destroy` would remove."""
    stack = Stack(name=tenant.name)
    stack.ensure()
    return changes(stack.read("destroy", "--preview-only", "--json"))


def status(tenant: Tenant) -> dict[str, Any]:
    """A portal as its engine has it: every service and job with its state and health."""
    with engine.connect(tenant.placement.docker_host) as client:
        found = engine.containers(client, tenant.name)
    late = engine.not_up(found, tenant.stays_up)
    return {
        "tenant": tenant.name,
        "healthy": not late,
        "services": {
            each.service: {"container": each.name, "state": each.state, "health": each.health or None}
            for each in sorted(
                [*found, *(one for one in late if not one.name)], key=lambda each: each.service
            )
        },
    }


def demo(say: Say, *, quiet: bool = False) -> dict[str, Any]:
    """The first portal on a machine: its drive, its images, `up`. Raises PortalError and its kinds."""
    start = time.monotonic()
    tenant = load("demo")
    prepare_images(tenant, say)
    with engine.connect(tenant.placement.docker_host) as client:
        drive.init(client, tenant.storage.root, say)
    told = up(tenant, say, quiet=quiet)
    return {**told, "seconds": round(time.monotonic() - start, 1)}


def as_json(found: list[Change]) -> list[dict[str, Any]]:
    """Changes as plain data."""
    return [asdict(each) for each in found]


__all__ = ["Change", "PortalError", "changes", "demo", "destroy", "facts", "load", "preview", "status", "up"]
