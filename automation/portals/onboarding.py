"""From a request to a portal that its first admin can log in to; interrupted anywhere, the same words go on."""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from automation.drive import capacity, sentinel, symbolic_links
from automation.engine import docker_exec, inventory
from automation.errors import PortalError
from automation.locks.file_lock import exclusive
from automation.portals import feasibility, image_choice, image_supply, outputs, tenant_files, up
from automation.portals.image_choice import Choice
from automation.portals.onboarding_request import (
    FIRST_PORT,
    LOOPBACK,
    OnboardingRequest,
    conflicts,
    free_port,
    free_subnet,
    text,
)
from automation.stack import ROOT
from config.portal.networks import networks
from config.portal.routes import addresses
from config.reading import checkout
from config.reading.errors import ConfigError
from config.reading.keys import entries
from config.tenant.fleet import Fleet
from config.tenant.sections import Storage
from config.tenant.tenant import Tenant, load_all, names
from config.values import names as naming
from config.values import placement
from preflight import facts as host_facts
from preflight import obstacles as judging
from preflight.facts import Facts
from preflight.procfs import ListenAddress
from preflight.tenant import Existing, requirements
from toolchain.paths import data_directory

Say = Callable[[str], None]
# The default of storage/root in config/reference.yml.
USUAL_ROOT = str(entries(Storage)["root"].default)
# Where the image that looks is still to be built, and nothing is to be made.
HOST_NOT_CHECKED = "the drive and the host's capacity were not checked: the image for this check does not exist yet (./portal images build ops)"
# What was seen of an engine and its drive holds so long; where images had to be built since, it is looked at anew.
FRESH_SECONDS = 10.0
# A port is chosen from these unless that many are taken.
PORTS_TRIED = 100
# The image's own entry, whatever its source (docs/images.md).
LOG_IN_LINK_COMMAND = ("sh", "-c", "exec $OPENEDX_ENTRY login-link")


@dataclass(kw_only=True)
class Steps:
    """The seconds of each step, told as it ends."""

    say: Say
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One step; it is told and kept when it has succeeded."""
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        # One that is done again, since it has become too old, is told together.
        self.seconds[name] = round(self.seconds.get(name, 0.0) + took, 1)
        self.say(f"{name}: {took:.1f} s")


def onboard(
    request: OnboardingRequest, say: Say = lambda text: None, *, cancel: threading.Event | None = None
) -> dict[str, Any]:
    """Bring up a new portal: its tenant file, checks of the host, stack, containers, first admin.

    Returns what `up` returns, with `file`, `log_in_link` (good once) and `steps` (seconds by name). A tenant that is
    there already is brought to what its file says, and anything asked for otherwise is refused. Raises ConfigError for
    a request that cannot be a tenant, Impossible for a port or a subnet that is taken on the engine or its host, NoRoom and
    DriveMissing, all before the file is written; and what `up` raises: the same words then go on.
    """
    began = time.monotonic()
    steps = Steps(say=say)
    # All that can be known is known before the file is there: a request that cannot be leaves nothing behind. Before the
    # images, too: minutes of building would be for nothing where the drive is away or a port is taken.
    choice = choose_images(request, say)
    request = choice.request(request)
    with steps.step("host and drive"):
        survey = survey_host(request, choice.digests)
    if image_choice.write_pins(choice.digests, say) != choice.digests:
        # Another command was faster: its digests stand.
        survey = survey_host(request)
    with steps.step("images"):
        image_supply.prepare_images(survey.tenant, say)
    if survey.age > FRESH_SECONDS or survey.drive is None:
        with steps.step("host and drive"):
            survey = survey_host(request)
    if survey.note:
        say(survey.note)
    with steps.step("tenant file"):
        tenant = write_tenant_file(request, say, survey.facts)
    with steps.step("portal"):
        prepared = up.Prepared(drive=survey.drive if survey.age < FRESH_SECONDS else None)
        facts = up.up(tenant, say, cancel=cancel, prepared=prepared)
    with steps.step("first log-in"):
        link = log_in_link(tenant)
    return {
        **facts,
        "openedx": image_choice.openedx_facts(tenant, choice.why),
        "file": str(tenant_files.TENANTS / f"{tenant.name}.yaml"),
        "log_in_link": link,
        "steps": steps.seconds,
        "seconds": round(time.monotonic() - began, 1),
    }


@dataclass(frozen=True, kw_only=True)
class HostSurvey:
    """What a request would become, and what its engine and that one's host have: `drive` None where nobody could look yet.

    `facts` are None of a tenant that is there. `note` is what is to be known of the host's room.
    """

    tenant: Tenant
    facts: Facts | None
    drive: sentinel.Inspection | None
    note: str
    since: float = field(default_factory=lambda: time.monotonic())

    @property
    def age(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self.since


def choose_images(request: OnboardingRequest, say: Say) -> Choice:
    """Which release and images a request becomes; those of a tenant that is there stay. Raises what `onboard` raises."""
    require_name(request)
    if request.name in names(tenant_files.TENANTS):
        return Choice(release=request.release, images=request.images)
    tenants, fleet = load_all(tenant_files.TENANTS).values(), Fleet.load(ROOT / "config" / "fleet.yml")
    try:
        best = image_choice.choice_if_available(request.release, request.images)
    except ValueError:
        # The file says it in its own words.
        draft(request, tenants, fleet)
        raise
    # What the files alone tell comes first: bad words are no matter of a registry or an engine that may be away.
    likely = replace(request, release=best.release, images=request.images or best.images)
    least = capacity.at_least(draft(likely, tenants, fleet, best.digests))
    return image_choice.choose(
        request.release, request.images, say, docker_host=request.docker_host, least=least
    )


def survey_host(request: OnboardingRequest, digests: Mapping[str, str] | None = None) -> HostSurvey:
    """Look once at all that a request depends on. Raises what `onboard` raises before anything is written.

    `digests` are those of public images that stand nowhere yet.
    """
    tenant, _, facts = resolve(request, digests=digests)
    drive, note = None, ""
    with inventory.connect(tenant.placement.docker_host) as client:
        if has_ops_image(client):
            drive, note = drive_and_room(client, tenant)
    return HostSurvey(tenant=tenant, facts=facts, drive=drive, note=note)


def has_ops_image(client: Any) -> bool:
    """Whether the engine has the image that looks at its host's drive."""
    return bool(host_facts.architecture(client, sentinel.ops_image()))


def drive_and_room(client: Any, tenant: Tenant) -> tuple[sentinel.Inspection, str]:
    """The drive, and what is to be known of the host; empty of a portal that is up. Raises DriveMissing, NoRoom, PortalError."""
    # The room first: what a drive has is printed by its names, and the first line that fits is read.
    script = f"{capacity.MEMORY_AND_DISK_SCRIPT}\n{symbolic_links.LINKS_SCRIPT.format(tenant.name)}"
    inspection = sentinel.inspect(client, tenant.storage.root, script)
    sentinel.judge(tenant, inspection)
    # One that is up has taken its share already.
    if inventory.containers(client, tenant.name):
        return inspection, ""
    note = capacity.judge(capacity.parse(inspection.output), tenant)
    return inspection, note or f"{tenant.name}: the host has enough memory and disk space"


def dry_run(request: OnboardingRequest, say: Say = lambda text: None) -> dict[str, Any]:
    """What `onboard` would do, nothing of it done: no file, stack, container or directory is made.

    `note` is what is to be known of the host; where its drive or its room stands in the way, `refused` says so, and `exit_code`
    is the one that `onboard` would end with. Raises ConfigError, Impossible, NoEngine.
    """
    choice = choose_images(request, say)
    tenant, file_text, _ = resolve(choice.request(request), digests=choice.digests)
    note, refused, code = HOST_NOT_CHECKED, "", 0
    with inventory.connect(tenant.placement.docker_host) as client:
        there = inventory.containers(client, tenant.name)
        if has_ops_image(client):
            try:
                _, note = drive_and_room(client, tenant)
            except PortalError as error:
                note, refused, code = "", str(error), error.exit_code
    return {
        "tenant": tenant.name,
        "file": str(tenant_files.TENANTS / f"{tenant.name}.yaml"),
        "text": file_text,
        "openedx": image_choice.openedx_facts(tenant, choice.why),
        "digests": dict(sorted(choice.digests.items())),
        "addresses": addresses(tenant),
        "directory": tenant.directory,
        "networks": {name: str(each.subnet) for name, each in networks(tenant).items()},
        "services": sorted(tenant.stays_up),
        "running": sorted(each.name for each in there),
        "memory_mib": {"at_least": capacity.at_least(tenant), "at_most": capacity.at_most(tenant)},
        "note": note or None,
        "refused": refused or None,
        "exit_code": code,
    }


def write_tenant_file(request: OnboardingRequest, say: Say, facts: Facts | None) -> Tenant:
    """The tenant of a request, its file in tenants/. Raises ConfigError before anything is written.

    `facts` are what its engine has, as far as somebody has just looked: other commands here are known by their files.
    """
    # Two that look for a free subnet at the same moment would find the same one.
    with exclusive(
        data_directory(os.environ) / "onboarding.lock", "the tenant file that another command writes", say
    ):
        tenant, file_text, _ = resolve(request, facts)
        path = tenant_files.TENANTS / f"{request.name}.yaml"
        if file_text:
            create_file(path, file_text)
            say(f"wrote {path.relative_to(ROOT)}")
    return tenant


def require_name(request: OnboardingRequest) -> None:
    """Raises ConfigError for a name that no tenant can have, before a file has it."""
    try:
        naming.tenant(request.name)
    except ValueError as error:
        raise ConfigError(f"TENANT: {error}, for example {naming.EXAMPLE}") from None


def resolve(
    request: OnboardingRequest, facts: Facts | None = None, *, digests: Mapping[str, str] | None = None
) -> tuple[Tenant, str, Facts | None]:
    """The tenant of a request, the text of its file, and what its engine has; neither for a tenant that is there.

    The engine is asked where `facts` do not say. Raises ConfigError, Impossible, NoEngine.
    """
    require_name(request)
    if request.name in names(tenant_files.TENANTS):
        tenant = tenant_files.load(request.name)
        if differences := conflicts(request, tenant):
            raise ConfigError(*differences)
        return tenant, "", None
    tenants = load_all(tenant_files.TENANTS).values()
    fleet = Fleet.load(ROOT / "config" / "fleet.yml")
    if facts is None:
        # What the files alone tell comes first: bad words are no matter of an engine that may be away.
        draft(request, tenants, fleet, digests)
        facts = engine_facts(request)
    subnet = request.subnet or free_subnet(fleet, tenants, [*facts.taken_subnets])
    port = request.port or free_port(tenants, request.docker_host, request.address, facts.taken_addresses)
    file_text = text(request.values(subnet, port))
    tenant = validate(request.name, file_text, tenants, digests)
    needs = requirements(tenant, {}, Existing())
    feasibility.refuse(tenant, judging.obstacles(needs, facts, tenant.name))
    return tenant, file_text, facts


def draft(
    request: OnboardingRequest,
    tenants: Collection[Tenant],
    fleet: Fleet,
    digests: Mapping[str, str] | None = None,
) -> Tenant:
    """The tenant of a request as far as the files tell, with a subnet and a port that no other tenant has. Raises ConfigError."""
    subnet = request.subnet or free_subnet(fleet, tenants, ())
    port = request.port or free_port(tenants, request.docker_host, request.address, ())
    return validate(request.name, text(request.values(subnet, port)), tenants, digests)


def engine_facts(request: OnboardingRequest) -> Facts:
    """What the engine of a request and its host have already. Raises NoEngine."""
    root = request.root or USUAL_ROOT
    with inventory.connect(request.docker_host) as client:
        facts = host_facts.of_engine(client, ())
        try:
            host = host_facts.of_host(client, sentinel.ops_image(), root, ports=ports_to_try(request))
            return replace(facts, host=host)
        except host_facts.engine_errors():
            # Before the first image is there, or the drive: this machine can be asked by itself, where the engine is on it.
            if placement.address_of(request.docker_host, os.environ).startswith("unix://"):
                return replace(facts, host=host_facts.this_machine())
            return replace(facts, unasked="the engine's host could not be asked yet")


def ports_to_try(request: OnboardingRequest) -> list[ListenAddress]:
    """The port that a request asks for, or the first of those that one is chosen from."""
    ports = [request.port] if request.port else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED)
    return [ListenAddress(address=request.address or LOOPBACK, port=each) for each in ports]


def validate(
    name: str, file_text: str, tenants: Collection[Tenant], digests: Mapping[str, str] | None = None
) -> Tenant:
    """The tenant that a file would be, checked against all others before it lies among them. Raises ConfigError.

    `digests` are those of public images that stand nowhere yet.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / tenant_files.TENANTS.name
        place.mkdir()
        for each in tenants:
            file = f"{each.name}.yaml"
            (place / file).write_text(checkout.text(tenant_files.TENANTS / file, ROOT), encoding="utf-8")
        (place / f"{name}.yaml").write_text(file_text, encoding="utf-8")
        return Tenant.load(name, place, releases=image_choice.all_releases(digests))


def create_file(path: Path, content: str) -> None:
    """Write a file whole or not at all, and over no other."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(content, encoding="utf-8")
    try:
        # Unlike a rename, a link does not replace what somebody else has put there meanwhile.
        os.link(fresh, path)
    except FileExistsError:
        raise ConfigError(
            f"{path}: another command has just written it; check it, then run the command again"
        ) from None
    finally:
        fresh.unlink()


def log_in_link(tenant: Tenant) -> str:
    """A link that lets the first admin in once, to a password of their own. Raises PortalError.

    Made inside the lms and told to nobody else: no log has it.
    """
    with inventory.connect(tenant.placement.docker_host) as client:
        code, out, err = docker_exec.run(client, f"{tenant.name}-lms", *LOG_IN_LINK_COMMAND)
    links = [line for line in out.split() if line.startswith(("http://", "https://"))]
    if code or not links:
        last = (err.strip() or "it said nothing").splitlines()[-1]
        raise PortalError(
            f"portal {tenant.name} is up, but its lms could not make a log-in link (exit code "
            f"{code}): {last}; the admin's password is in {outputs.password_file(tenant.name)}"
        )
    return links[-1]
