"""Which release and images a portal gets that nobody has chosen any for: the real Open edX where it can be had.

docs/decisions/0020 says why. Whatever is chosen stands in the tenant's file afterwards, and is reviewed like all else.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from automation.engine import inventory
from automation.images import registry_digests
from automation.images.event import BuildError
from automation.locks.file_lock import exclusive
from automation.portals.onboarding_request import OnboardingRequest
from automation.stack import ROOT
from config.reading.keys import entries
from config.releases import pins, support
from config.releases.public_images import from_mirror
from config.releases.release import Releases
from config.tenant.fleet import Fleet
from config.tenant.tenant import Tenant
from config.values import placement
from preflight import facts
from toolchain import files
from toolchain.paths import data_directory

Say = Callable[[str], None]

PINS = ROOT / "config" / pins.NAME
# The release of a tenant file that names none; the stand-in plays it.
USUAL = str(entries(Tenant)["release"].default)
STAND_IN = "packages"
PUBLIC = "hub"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A release and where its images come from, with the digests that were asked for. `why` says why it is the stand-in."""

    release: str
    images: str
    digests: Mapping[str, str] = field(default_factory=dict)
    why: str = ""

    @property
    def real(self) -> bool:
        """Whether it is the real Open edX."""
        return self.images == PUBLIC

    def request(self, request: OnboardingRequest) -> OnboardingRequest:
        """What was asked for, with the real Open edX in words; the stand-in stands in a file only where it was asked for."""
        return replace(request, release=self.release, images=PUBLIC) if self.real else request


def all_releases(digests: Mapping[str, str] | None = None) -> Releases:
    """The releases of this checkout, with digests that are not in config/pins.yml yet."""
    mirror = Fleet.load(ROOT / "config" / "fleet.yml").mirror
    return Releases(ROOT / "config" / "releases", {**digests, **pins.load(PINS)} if digests else None, mirror)


def choice_if_available(release: str, images: str) -> Choice:
    """What is chosen where every registry answers; what is asked for stands. With digests that are none.

    Raises ConfigError for a release file that is wrong, ValueError for a release that there is not.
    """
    known = all_releases()
    every = known.all()
    target = known.load(release) if release else support.newest(every)
    if images == STAND_IN:
        return Choice(release=release or USUAL, images=STAND_IN, why=f"`images: {STAND_IN}` is asked for")
    if not images and target.lacks and not target.unpackaged:
        lacks = target.lacks[0].split(". ")[0].rstrip(".")
        why = f"with public images of {target.name} this is so: {lacks}"
        return Choice(release=target.name, images=STAND_IN, why=why)
    made = dict.fromkeys(target.public(), f"sha256:{'0' * 64}")
    return Choice(release=target.name, images=PUBLIC, digests=made)


def choose(release: str, images: str, say: Say, *, docker_host: str = "", least: int = 0) -> Choice:
    """What a portal gets: what is asked for, else the real Open edX if each of its images can be had, else the stand-in.

    Registries are asked once, by the engine, for what config/pins.yml does not name or the engine does not have. `least` is
    MiB of memory without which the real one does not start; a host with less gets the stand-in, too. Raises BuildError
    where public images are asked for (or their release has no others) and cannot be had, NoEngine, ConfigError.
    """
    best = choice_if_available(release, images)
    if best.images == STAND_IN:
        return best
    target = all_releases().load(best.release)
    required = images == PUBLIC or bool(release and target.unpackaged)
    known = pins.load(PINS)
    with inventory.connect(docker_host, limit=registry_digests.LIMIT_SECONDS) as client:
        if not required and 0 < (memory := free_memory(client, docker_host)) < least:
            why = f"{memory} MiB of memory are free, and {target.name} from public images needs {least} to start"
            return Choice(release=release or USUAL, images=STAND_IN, why=why)
        places = {
            image: from_mirror(image, target.mirror)
            for image in target.public()
            if image not in known or not _has(client, from_mirror(image, target.mirror), known[image])
        }
        answers = registry_digests.ask_registries(client, places, say)
    if not answers.why_unavailable:
        new_digests = {image: each for image, each in answers.digests.items() if image not in known}
        return Choice(release=target.name, images=PUBLIC, digests=new_digests)
    if required:
        raise BuildError(
            f"the public images of {target.name} cannot be had: {answers.why_unavailable}; "
            + (
                f"{target.name} has no others ({target.unpackaged})"
                if release and target.unpackaged
                else f"`--images {STAND_IN}` runs the stand-in (release {release or USUAL})"
            )
        )
    why = f"public images cannot be pulled: {answers.why_unavailable}"
    return Choice(release=release or USUAL, images=STAND_IN, why=why)


def free_memory(client: Any, docker_host: str) -> int:
    """MiB that a portal could have: free ones where the engine is on this machine, else all that its host has."""
    if placement.address_of(docker_host, os.environ).startswith("unix://") and (
        free := facts.this_machine().memory
    ):
        return free
    return int(client.info().get("MemTotal") or 0) // 2**20


def _has(client: Any, place: str, digest: str) -> bool:
    from automation.images.engine import present

    return present(client, f"{place}@{digest}")


def write_pins(digests: Mapping[str, str], say: Say) -> Mapping[str, str]:
    """Write digests that config/pins.yml does not have yet; those that it has stay until `./portal images pin`.

    Returns what the file has of these images afterwards.
    """
    if not digests:
        return digests
    known = all_releases().public()
    # Of two at the same moment, neither forgets what the other has found.
    with exclusive(
        data_directory(os.environ) / "pins.lock", "another command that writes config/pins.yml", say
    ):
        both = {**digests, **pins.load(PINS)}
        # Whole or not at all: a portal is planned from it.
        files.write(PINS, pins.text({each: both[each] for each in known if each in both}))
    say(f"wrote config/{pins.NAME}: {len(digests)} digests")
    return {each: both[each] for each in digests}


def openedx_facts(tenant: Tenant, why: str = "", today: date | None = None) -> dict[str, Any]:
    """What runs as Open edX in a portal, for `--json`. `why` is why it is the stand-in, as far as that was decided now.

    `notice` says it on one line: the release with the end of its support, or that the portal runs the stand-in, and why.
    """
    state_of_support = support.Support(release=tenant.release, today=today or date.today())
    lacks = list(tenant.release.lacks) if tenant.real else []
    if tenant.real:
        notice = " ".join(
            [f"Open edX {tenant.release.title}, {state_of_support}, from public images.", *lacks]
        )
    else:
        why = why or f"the image source (`images`) of tenants/{tenant.name}.yaml is {STAND_IN}"
        notice = (
            f"this portal runs a stand-in for edx-platform, not Open edX itself: {why} "
            "(docs/images.md: how to run the real one)"
        )
    return {
        "title": tenant.release.title,
        "real": tenant.real,
        "images": tenant.images,
        "support_ends": tenant.release.support_ends.isoformat(),
        "supported": not state_of_support.has_ended,
        "lacks": lacks,
        "why": "" if tenant.real else why,
        "notice": notice,
    }
