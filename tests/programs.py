"""The whole program of a tenant, run against the recorder."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pulumi

from components.portal import Portal
from config.releases.release import Releases
from config.tenant.tenant import Tenant
from tests.recorder import Recorder, record

ROOT = Path(__file__).resolve().parent.parent
TENANTS = ROOT / "tenants"


def portal(name: str, **exit_codes: int) -> Recorder:
    """Every resource that `pulumi up` of this tenant asks for."""
    return planned(Tenant.load(name, TENANTS), exit_codes=exit_codes)


def released(name: str, release: str, folder: Path) -> Tenant:
    """A tenant as it would be with public images of another release; their digests are made up."""
    text = (TENANTS / f"{name}.yaml").read_text()
    changed = {"release": release, "images": "hub"}
    lines = [
        f"{line.partition(':')[0]}: {changed[key]}" if (key := line.partition(":")[0]) in changed else line
        for line in text.split("sizes:")[0].splitlines()
    ]
    (folder / f"{name}.yaml").write_text("\n".join(lines))
    return Tenant.load(name, folder, releases=pinned())


def pinned() -> Releases:
    """The releases with a made-up digest for every public image."""
    where = ROOT / "config" / "releases"
    made = {
        each: f"sha256:{hashlib.sha256(each.encode()).hexdigest()}" for each in Releases(where, {}).public()
    }
    return Releases(where, made)


def planned(
    tenant: Tenant, smarthost_password: str | None = None, exit_codes: Mapping[str, int] | None = None
) -> Recorder:
    """The same for a tenant that lies in no file."""

    def program() -> None:
        made = Portal(tenant, images=ROOT / "images", smarthost_password=smarthost_password)
        for key, value in made.facts.items():
            pulumi.export(key, value)

    return record(program, stack=tenant.name, exit_codes=exit_codes)
