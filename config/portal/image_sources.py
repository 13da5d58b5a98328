"""Which image each service of a tenant runs: one built here, a public one by digest, or the tenant's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.images import PREFIX, digest, references
from config.tenant.tenant import Tenant

# What an image that is derived from a public one takes from besides.
ADDED = "configuration"
# The image of the jobs that no release has a service for; always built here.
OPS = "ops"


def image_references(tenant: Tenant, folder: Path) -> dict[str, str]:
    """The reference of every service's image, and that of `ops`. `folder` is images/. Raises ImageError."""
    built = references(folder)
    return {
        OPS: built[OPS],
        **{name: _reference(tenant, name, built, folder) for name in tenant.services},
    }


def roles(tenant: Tenant) -> list[str]:
    """The images that are built here for this tenant, by role."""
    services = tenant.services
    return sorted(
        {OPS} | {each.image for name, each in services.items() if tenant.source(name) == "packages"}
    )


def images_to_pull(tenant: Tenant) -> list[str]:
    """The images that an engine gets from registries, by reference, those that others are derived from included."""
    services = tenant.services
    public = {tenant.public_image(name) for name in services if tenant.source(name) == "hub"}
    if any(each.hub.derived for name, each in services.items() if tenant.source(name) == "hub"):
        public.add(tenant.release.pinned_python)
    return sorted(public | set(tenant.service_images.values()))


@dataclass(frozen=True, kw_only=True)
class Derived:
    """An image built here on top of a public one, from `images/<role>`."""

    role: str
    public: str
    python: str
    reference: str


def derived_images(tenant: Tenant, folder: Path) -> list[Derived]:
    """What is built here on top of public images for this tenant. Raises ImageError."""
    built = references(folder)
    services = tenant.services
    pairs = {
        (each.hub.derived, tenant.public_image(name))
        for name, each in services.items()
        if tenant.source(name) == "hub" and each.hub.derived
    }
    return [
        _derived(role, public, tenant.release.pinned_python, built, folder) for role, public in sorted(pairs)
    ]


def _derived(role: str, public: str, python: str, built: Mapping[str, str], folder: Path) -> Derived:
    needs = {"public": public, "python": python, ADDED: built[ADDED]}
    reference = f"{PREFIX}{role}:{digest(role, folder, needs)[:16]}"
    return Derived(role=role, public=public, python=python, reference=reference)


def _reference(tenant: Tenant, name: str, built: Mapping[str, str], folder: Path) -> str:
    service, source = tenant.services[name], tenant.source(name)
    if source == "own":
        return tenant.service_images[name]
    if source == "packages":
        return built[service.image]
    if service.hub.derived:
        python = tenant.release.pinned_python
        return _derived(service.hub.derived, tenant.public_image(name), python, built, folder).reference
    return tenant.public_image(name)
