"""The images that tenants need: built, pulled and derived before an `up`, unneeded ones found, digests pinned."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from automation import images
from automation.engine import image_contract, inventory
from automation.engine.image_contract import Report
from automation.errors import WrongWords
from automation.images.progress import building
from automation.locks.file_lock import exclusive
from automation.portals import tenant_files
from automation.stack import ROOT
from config.portal import image_sources
from config.reading.errors import ConfigError
from config.reading.words import comma_separated, quoted
from config.releases import pins
from config.releases.public_images import from_mirror
from config.releases.release import Releases
from config.tenant.fleet import Fleet
from config.tenant.tenant import Tenant, load_valid
from toolchain import files
from toolchain.paths import data_directory

Say = Callable[[str], None]

IMAGES = ROOT / "images"


def prepare_images(tenant: Tenant, say: Say) -> None:
    """Build or pull the images of the tenant's release that its engine does not have."""
    host = tenant.placement.docker_host
    build_images([tenant], say)
    images.pull(image_sources.images_to_pull(tenant), say, docker_host=host)
    derived = image_sources.derived_images(tenant, IMAGES)
    if tenant.openedx and images.absent([each.reference for each in derived], docker_host=host):
        # Once, before the first portal uses it: what is built on it is there from then on.
        with inventory.connect(host) as client:
            image_contract.require(client, tenant.openedx, [*tenant.releases], tenant.release.name, say)
    with building() as progress:
        images.derive(derived, docker_host=host, on_event=progress)


def check_image(reference: str, release: str, say: Say, *, docker_host: str = "") -> Report:
    """Whether an openedx image keeps the contract; it is pulled where the engine does not have it.

    `release` is the one that a portal is to have; empty: any. Raises WrongWords for what is no image or no release,
    BuildError where it cannot be pulled, NoEngine.
    """
    image_contract.require_reference(reference)
    known = Releases(ROOT / "config" / "releases", {}).known()
    if release and release not in known:
        raise WrongWords(f"{quoted(release)} is not a release; there are: {comma_separated(known)}")
    if images.absent([reference], docker_host=docker_host):
        images.pull([reference], say, docker_host=docker_host)
    say(f"checking {reference}; importing edx-platform takes up to {image_contract.LIMIT_SECONDS:.0f} s")
    with inventory.connect(docker_host) as client:
        return image_contract.report(client, reference, known, release)


def build_images(tenants: Iterable[Tenant], say: Say) -> None:
    """Build what these tenants' engines lack, each image once an engine: workers beside each other would do it twice."""
    roles: dict[str, set[str]] = {}
    for each in tenants:
        roles.setdefault(each.placement.docker_host, set()).update(image_sources.roles(each))
    for host, these in roles.items():
        missing_roles = images.missing(sorted(these), docker_host=host)
        if missing_roles:
            say(f"building {len(missing_roles)} missing images: {', '.join(missing_roles)}")
            with building() as progress:
                images.build(missing_roles, docker_host=host, on_event=progress)


def unwanted_images(docker_host: str = "") -> list[str]:
    """The images built here that neither a tenant's file nor a container has a use for, by reference.

    Raises ConfigError when a tenant's file is wrong: what it wants is not known then.
    """
    tenants, findings = load_valid(tenant_files.TENANTS)
    if findings:
        raise ConfigError(*findings)
    spare = {one.reference for each in tenants.values() for one in image_sources.derived_images(each, IMAGES)}
    return images.superseded(docker_host=docker_host, spare=spare)


def pin(release: str, say: Say) -> Path:
    """Write the digests of a release's public images (of all with `all`) into config/pins.yml, keeping the others.

    Raises BuildError, and ValueError for a release that there is not.
    """
    path = ROOT / "config" / pins.NAME
    mirror = Fleet.load(ROOT / "config" / "fleet.yml").mirror
    releases = Releases(ROOT / "config" / "releases", mirror=mirror)
    public = releases.public() if release == "all" else releases.load(release).public()
    digests = images.digests({each: from_mirror(each, mirror) for each in public}, say)
    # Of two at the same moment, neither forgets what the other has found.
    with exclusive(data_directory(os.environ) / "pins.lock", "another `./portal images pin`", say):
        known = {**pins.load(path), **digests}
        # Whole or not at all: a portal is planned from it.
        files.write(path, pins.text({each: known[each] for each in releases.public() if each in known}))
    return path
