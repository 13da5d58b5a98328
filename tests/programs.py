"""The whole program of a tenant, run against the recorder."""

from pathlib import Path

import pulumi

from components.portal import Portal
from config.tenant import Tenant
from tests.recorder import Recorder, record

ROOT = Path(__file__).resolve().parent.parent
TENANTS = ROOT / "tenants"


def portal(name: str, **exit_codes: int) -> Recorder:
    """Every resource that `pulumi up` of this tenant asks for."""
    return planned(Tenant.load(name, TENANTS), **exit_codes)


def planned(tenant: Tenant, **exit_codes: int) -> Recorder:
    """The same for a tenant that lies in no file."""

    def program() -> None:
        made = Portal(tenant, images=ROOT / "images")
        for key, value in made.facts.items():
            pulumi.export(key, value)

    return record(program, stack=tenant.name, **exit_codes)
