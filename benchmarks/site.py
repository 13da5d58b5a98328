"""The benchmark's own checkout, data directory, drive, tenant and state."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker.errors

from automation.drive import sentinel
from automation.engine.inventory import connect

REPO = Path(__file__).resolve().parent.parent
TENANT = "bench-portal"
PREFIX = "portals-benchmark-"
# On the disk and not in memory, as a drive would be.
PLACE = Path("/var/tmp")
SETUP_LIMIT_SECONDS = 3600
TENANT_FILE = """\
title: Benchmark University
hosts:
  lms: bench.localhost
  cms: studio.bench.localhost
listen:
  port: 18240
placement:
  subnet: 10.77.240.0/24
storage:
  root: {root}
admin:
  email: admin@bench.localhost
"""

Say = Callable[[str], None]


class SiteError(Exception):
    """The site cannot be made. The text has the reason and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where the measured commands run. `environ` is what `./portal env` sets, on top of the caller's own."""

    root: Path
    environ: Mapping[str, str]

    @property
    def checkout(self) -> Path:
        return self.root / "checkout"

    @property
    def drive(self) -> Path:
        return self.root / "drive"

    @property
    def log(self) -> Path:
        return self.root / "log.txt"

    @property
    def compose_file(self) -> Path:
        return self.root / "compose.json"

    def exported(self) -> dict[str, Any]:
        """The stack's state, secrets in plain."""
        exported = ask(
            ["pulumi", "stack", "export", "--show-secrets", "--stack", TENANT], self.checkout, self.environ
        )
        resources: dict[str, Any] = json.loads(exported)
        return resources

    def empty(self, client: Any) -> None:
        """Remove the tenant's directory from the drive: its files belong to many users."""
        sentinel.run_on_drive(client, str(self.drive), f"rm -rf /drive/{TENANT}")


@contextmanager
def site(say: Say) -> Iterator[Site]:
    """Make the site; at the end remove it and every container, network and volume of its tenant. Raises SiteError."""
    with connect() as client:
        remove_leftovers(client, say)
    root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=PLACE))
    try:
        yield prepare_site(root, say)
    finally:
        with connect() as client:
            remove_objects(client)
            with suppress(docker.errors.APIError):
                sentinel.run_on_drive(client, str(root), "rm -rf /drive/drive")
        shutil.rmtree(root, ignore_errors=True)


def prepare_site(root: Path, say: Say) -> Site:
    """Copy the checkout, write the tenant, set up the tools (quick when the cache has them)."""
    environ = clean(os.environ) | {
        "XDG_DATA_HOME": str(root / "data"),
        # Compose reads the user's own settings otherwise.
        "DOCKER_CONFIG": str(root / "docker"),
    }
    fresh = Site(root=root, environ=environ)
    for folder in (fresh.drive, root / "data", root / "docker"):
        folder.mkdir()
    copy(REPO, fresh.checkout)
    (fresh.checkout / "tenants" / f"{TENANT}.yaml").write_text(TENANT_FILE.format(root=fresh.drive))
    say("setting up the tools in a copied checkout")
    ask(["./portal", "setup"], fresh.checkout, environ)
    made = Site(root=root, environ=shell_environment(fresh.checkout, environ))
    say("building the images that the engine does not have")
    ask(["./portal", "images", "build"], fresh.checkout, environ)
    ask(["./portal", "drive", "init", str(fresh.drive)], fresh.checkout, environ)
    ask(["pulumi", "stack", "select", "--create", TENANT], fresh.checkout, made.environ)
    return made


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without what points to another state or changes how the tools behave."""
    return {key: value for key, value in environ.items() if not key.startswith(("PULUMI_", "COMPOSE_"))}


def copy(repo: Path, checkout: Path) -> None:
    """The files that git knows or would add, as they are now, without the tenants."""
    listed = ask(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], repo, os.environ
    ).split("\0")
    for name in listed:
        source = repo / name
        if name and source.is_file() and not name.startswith("tenants/"):
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, checkout / name)
    (checkout / "tenants").mkdir()


def shell_environment(checkout: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment after `eval "$(./portal env)"`."""
    output = ask(["bash", "-c", 'eval "$(./portal env)" && env -0'], checkout, environ)
    return dict(line.split("=", 1) for line in output.split("\0") if "=" in line)


def ask(words: list[str], cwd: Path, environ: Mapping[str, str]) -> str:
    """The output of a command. Raises SiteError with its reason."""
    try:
        completed = subprocess.run(
            words,
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SETUP_LIMIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SiteError(f"{' '.join(words)}: {error}") from None
    if completed.returncode:
        raise SiteError(
            f"{' '.join(words)}: exit code {completed.returncode}\n{completed.stderr[-1000:]}\n{completed.stdout[-1000:]}"
        )
    return completed.stdout


def remove_leftovers(client: Any, say: Say) -> None:
    """Remove what a killed benchmark left. Raises SiteError when a portal of that name is somebody's own."""
    for each in client.volumes(filters=label())["Volumes"] or []:
        device = (each.get("Options") or {}).get("device", "")
        if not device.startswith(f"{PLACE}/{PREFIX}"):
            raise SiteError(
                f"volume {each['Name']} lies in {device}: there is a portal named {TENANT} already"
            )
    if remove_objects(client):
        say("removed what an earlier, killed benchmark had left")


def remove_objects(client: Any) -> bool:
    """Remove the tenant's containers, networks and volumes; whether there were any."""
    containers = client.containers(all=True, filters=label())
    networks = client.networks(filters=label())
    volumes = client.volumes(filters=label())["Volumes"] or []
    for each in containers:
        with suppress(docker.errors.NotFound):
            client.remove_container(each["Id"], force=True, v=True)
    for each in networks:
        with suppress(docker.errors.NotFound):
            client.remove_network(each["Id"])
    for each in volumes:
        with suppress(docker.errors.NotFound):
            client.remove_volume(each["Name"], force=True)
    return bool(containers or networks or volumes)


def label() -> dict[str, str]:
    """The label of the benchmark's objects, whichever tool made them."""
    return {"label": f"com.docker.compose.project={TENANT}"}
