"""What a script may ask for, by a tenant's name. For many tenants at once there is `for_each_tenant`."""

import threading
from collections.abc import Callable
from typing import Any

from automation.fleet.worker_pool import for_each_tenant
from automation.portals import destroy as portal_destroy
from automation.portals import preview as portal_preview
from automation.portals import status as portal_status
from automation.portals import tenant_files
from automation.portals import up as portal_up
from automation.portals.onboarding import onboard
from automation.portals.onboarding_request import OnboardingRequest
from automation.runs.plan import Plan

__all__ = ["OnboardingRequest", "destroy", "for_each_tenant", "onboard", "preview", "status", "up"]
Say = Callable[[str], None]


def silent(text: str) -> None:
    """Takes progress that nobody waits for."""


def preview(tenant: str, *, refresh: bool = False) -> Plan:
    """What `up` would change. With `refresh` the engine is asked first what it really has."""
    return portal_preview.preview(tenant_files.load(tenant), refresh=refresh)


def up(tenant: str, *, say: Say = silent, cancel: threading.Event | None = None) -> dict[str, Any]:
    """Bring a portal to what its tenant file says; its facts: `addresses`, `services`, `admin`, `deviations`, …"""
    return portal_up.up(tenant_files.load(tenant), say, cancel=cancel)


def destroy(tenant: str, *, say: Say = silent, cancel: threading.Event | None = None) -> str:
    """Remove a portal from its engine; the directory on the drive where its data stays."""
    return portal_destroy.destroy(tenant_files.load(tenant), say, cancel=cancel)


def status(tenant: str) -> dict[str, Any]:
    """Every service of a portal with its state and health, as its engine has them."""
    return portal_status.status(tenant_files.load(tenant))
