"""What `./portal new --dry-run` says: what would be, a row each, and the exit code of the real run."""

import time
from contextlib import nullcontext
from typing import Any

import pytest
import typer

from automation.commands import onboarding as command
from automation.drive import capacity, sentinel
from automation.drive.capacity import LEAST_DISK_MIB, Room
from automation.drive.sentinel import DriveMissing, Inspection, Sentinel
from automation.drive.symbolic_links import DataLinked
from automation.engine import inventory
from automation.engine.inventory import Container
from automation.portals import image_supply, onboarding, up
from automation.portals.image_choice import Choice
from automation.portals.onboarding_request import OnboardingRequest
from config.portal.networks import networks
from config.tenant.tenant import Tenant
from preflight.facts import Facts
from tests.programs import TENANTS

ACME = Tenant.load("acme", TENANTS)
REQUEST = OnboardingRequest(name="acme", lms="acme.localhost")
FACTS = Facts()
CHOICE = Choice(release="redwood", images="packages", why="docker.io: no answer within 6 s")
PLENTY = Room(memory=capacity.at_most(ACME), disk=LEAST_DISK_MIB)


class Host:
    """What an engine and its host have, for a rehearsal."""

    def __init__(self) -> None:
        self.image, self.mounted, self.room, self.there = True, True, PLENTY, list[Container]()
        self.links = ""
        self.requests: list[str] = []

    def inspect(self, client: Any, root: str, script: str) -> Inspection:
        self.requests.append("drive")
        if not self.mounted:
            return Inspection(mark=None)
        memory, disk = self.room.memory * 1024, self.room.disk * 1024
        return Inspection(
            mark=Sentinel(id="a"),
            output=f"MemAvailable: {memory} kB\n/dev/sdb 9 9 {disk} 1% /drive\n{self.links}",
        )


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    made = Host()
    monkeypatch.setattr(
        onboarding, "resolve", lambda request, facts=None, digests=None: (ACME, "title: Acme\n", FACTS)
    )
    monkeypatch.setattr(onboarding, "choose_images", lambda request, say: CHOICE)
    monkeypatch.setattr(onboarding, "has_ops_image", lambda client: made.image)
    monkeypatch.setattr(inventory, "connect", lambda host: nullcontext(None))
    monkeypatch.setattr(inventory, "containers", lambda client, tenant: made.there)
    monkeypatch.setattr(sentinel, "inspect", made.inspect)
    return made


def run_new(capsys: pytest.CaptureFixture[str], *, as_json: bool = False) -> tuple[int, str, str]:
    code = 0
    try:
        command.new("acme", lms="acme.localhost", dry_run=True, as_json=as_json)
    except typer.Exit as end:
        code = end.exit_code
    return code, *capsys.readouterr()


def test_a_row_each(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run_new(capsys)
    assert (code, err) == (0, "")
    rows = {line.partition("  ")[0].strip(): line for line in out.splitlines() if "  " in line}
    for name, network in networks(ACME).items():
        assert rows[f"network {name}"].endswith(f"  {network.subnet}")
    assert rows["address lms"].endswith("  http://acme.localhost:8081")
    assert ", lms, lms-workers" in rows["services"]
    least, most = capacity.at_least(ACME), capacity.at_most(ACME)
    assert rows["memory"].endswith(f"  {least} MiB at least, {most} MiB at most")
    assert rows["running"].endswith("  none")
    assert rows["host"].endswith("  the host has enough memory and disk space")
    *table, last = out.splitlines()
    assert not set("{}[]'") & set("".join(table))
    assert last == (
        "this portal runs a stand-in for edx-platform, not Open edX itself: docker.io: no answer within 6 s "
        "(docs/images.md: how to run the real one)"
    )


def test_a_drive_that_is_not_mounted_ends_it_as_the_real_run(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    host.mounted = False
    code, out, err = run_new(capsys)
    assert code == 7
    assert "./portal drive init /srv/portals" in err
    assert "title: Acme" in out
    code, out, _ = run_new(capsys, as_json=True)
    assert code == 7
    assert '"exit_code": 7' in out


def test_no_room_ends_it_as_the_real_run(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.room = Room(memory=1, disk=LEAST_DISK_MIB)
    code, _, err = run_new(capsys)
    assert code == 9
    assert "MiB of memory free" in err


def test_what_could_not_be_looked_at_is_said(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.image = False
    code, out, _ = run_new(capsys)
    assert code == 0
    assert host.requests == []
    assert onboarding.HOST_NOT_CHECKED in out


def test_one_that_is_up_has_taken_its_share(host: Host) -> None:
    host.there = [
        Container(service="lms", name="acme-lms", group="", state="running", health="healthy", image="x")
    ]
    rehearsal = onboarding.dry_run(REQUEST)
    assert rehearsal["running"] == ["acme-lms"]
    assert (rehearsal["note"], rehearsal["exit_code"]) == (None, 0)
    assert host.requests == ["drive"]


def test_the_drive_is_looked_at_before_minutes_of_building(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Tenant] = []
    monkeypatch.setattr(image_supply, "prepare_images", lambda tenant, say: built.append(tenant))
    host.mounted = False
    with pytest.raises(DriveMissing):
        onboarding.onboard(REQUEST)
    assert built == []


def test_a_link_in_the_place_of_the_data_ends_it(host: Host) -> None:
    # What is named like an answer of the host's is none.
    host.links = "link acme\tMemAvailable: 1 kB"
    with pytest.raises(DataLinked):
        onboarding.survey_host(REQUEST)


@pytest.mark.parametrize(("seconds", "image", "looks"), [(0.0, True, 1), (60.0, True, 2), (0.0, False, 1)])
def test_images_drive_and_host_are_looked_at_once_unless_time_has_passed(
    host: Host, monkeypatch: pytest.MonkeyPatch, seconds: float, image: bool, looks: int
) -> None:
    """Minutes of building make what was seen old; before the image that looks is there nobody can."""
    now = [1000.0]
    done: list[str] = []
    host.image = image

    def prepare(tenant: Tenant, say: Any) -> None:
        done.append("images")
        now[0] += seconds
        host.image = True

    def write(request: OnboardingRequest, say: Any, facts: Facts | None) -> Tenant:
        assert facts is FACTS
        done.append("file")
        return ACME

    def bring_up(tenant: Tenant, say: Any, *, cancel: Any, prepared: up.Prepared) -> dict[str, Any]:
        assert prepared.drive is not None
        assert prepared.drive.mark == Sentinel(id="a")
        done.append("up")
        return {"tenant": "acme"}

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(image_supply, "prepare_images", prepare)
    monkeypatch.setattr(onboarding, "write_tenant_file", write)
    monkeypatch.setattr(up, "up", bring_up)
    monkeypatch.setattr(onboarding, "log_in_link", lambda tenant: "http://x")
    result = onboarding.onboard(REQUEST)
    assert done == ["images", "file", "up"]
    assert host.requests == ["drive"] * looks
    assert list(result["steps"]) == ["host and drive", "images", "tenant file", "portal", "first log-in"]
