"""Which image each service of a tenant runs: one built here, a public one by digest, or the tenant's own."""

from collections.abc import Mapping
from pathlib import Path

from config.images import PREFIX, digest, references
from config.tenant import Tenant

# The image of the jobs that no release has a service for; always built here.
OPS = "ops"


def pictured(tenant: Tenant, folder: Path) -> dict[str, str]:
    """The reference of every service's image, and that of `ops`. `folder` is images/. Raises ImageError."""
    built = references(folder)
    return {
        OPS: built[OPS],
        **{name: _picture(tenant, name, built, folder) for name in tenant.release.services},
    }


def roles(tenant: Tenant) -> list[str]:
    """The images that are built here for this tenant, by role."""
    services = tenant.release.services
    return sorted(
        {OPS} | {each.image for name, each in services.items() if tenant.source(name) == "packages"}
    )


def pulled(tenant: Tenant) -> list[str]:
    """The images that an engine gets from registries, by reference, those that others are derived from included."""
    services = tenant.release.services
    public = {each.hub.pinned for name, each in services.items() if tenant.source(name) == "hub"}
    return sorted(public | set(tenant.service_images.values()))


def derived(tenant: Tenant) -> dict[str, str]:
    """What is built here on top of public images: role → the public image."""
    services = tenant.release.services
    return {
        each.hub.derived: each.hub.pinned
        for name, each in services.items()
        if tenant.source(name) == "hub" and each.hub.derived
    }


def derived_reference(role: str, public: str, folder: Path) -> str:
    """The reference of `images/<role>` built on a public image; other with another image below it."""
    return f"{PREFIX}{role}:{digest(role, folder, {'public': public})[:16]}"


def _picture(tenant: Tenant, name: str, built: Mapping[str, str], folder: Path) -> str:
    service, source = tenant.release.services[name], tenant.source(name)
    if source == "own":
        return tenant.service_images[name]
    if source == "packages":
        return built[service.image]
    if service.hub.derived:
        return derived_reference(service.hub.derived, service.hub.pinned, folder)
    return service.hub.pinned
