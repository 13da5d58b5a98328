"""What `./portal new --dry-run` says: what would be, a row each, and the exit code of the real run."""

from contextlib import nullcontext
from typing import Any

import pytest
import typer

from automation.commands import onboarding as command
from automation.drive import capacity, sentinel
from automation.drive.capacity import LEAST_DISK_MIB, Room
from automation.drive.sentinel import DriveMissing
from automation.engine import inventory
from automation.engine.inventory import Container
from automation.portals import image_supply, onboarding
from automation.portals.onboarding_request import OnboardingRequest
from config.portal.networks import networks
from config.tenant.tenant import Tenant
from tests.programs import TENANTS

ACME = Tenant.load("acme", TENANTS)
REQUEST = OnboardingRequest(name="acme", lms="acme.localhost")
PLENTY = Room(memory=capacity.at_most(ACME), disk=LEAST_DISK_MIB)


class Host:
    """What an engine and its host have, for a rehearsal."""

    def __init__(self) -> None:
        self.image, self.mounted, self.room, self.there = True, True, PLENTY, list[Container]()
        self.asked: list[str] = []

    def check(self, client: Any, tenant: Tenant) -> None:
        self.asked.append("drive")
        if not self.mounted:
            raise DriveMissing(sentinel.missing(tenant.storage.root))

    def look(self, client: Any, root: str) -> Room:
        self.asked.append("room")
        return self.room


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    made = Host()
    monkeypatch.setattr(onboarding, "resolve", lambda request: (ACME, "title: Acme\n"))
    monkeypatch.setattr(onboarding, "has_ops_image", lambda client: made.image)
    monkeypatch.setattr(inventory, "connect", lambda host: nullcontext(None))
    monkeypatch.setattr(inventory, "containers", lambda client, tenant: made.there)
    monkeypatch.setattr(sentinel, "check", made.check)
    monkeypatch.setattr(capacity, "look", made.look)
    return made


def said(capsys: pytest.CaptureFixture[str], *, as_json: bool = False) -> tuple[int, str, str]:
    code = 0
    try:
        command.new("acme", lms="acme.localhost", dry_run=True, as_json=as_json)
    except typer.Exit as end:
        code = end.exit_code
    return code, *capsys.readouterr()


def test_a_row_each(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys)
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
    assert not set("{}[]'") & set(out)


def test_a_drive_that_is_not_mounted_ends_it_as_the_real_run(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    host.mounted = False
    code, out, err = said(capsys)
    assert code == 7
    assert "./portal drive init /srv/portals" in err
    assert "title: Acme" in out
    code, out, _ = said(capsys, as_json=True)
    assert code == 7
    assert '"exit_code": 7' in out


def test_no_room_ends_it_as_the_real_run(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.room = Room(memory=1, disk=LEAST_DISK_MIB)
    code, _, err = said(capsys)
    assert code == 9
    assert "MiB of memory free" in err


def test_what_could_not_be_looked_at_is_said(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.image = False
    code, out, _ = said(capsys)
    assert code == 0
    assert host.asked == []
    assert onboarding.HOST_NOT_CHECKED in out


def test_one_that_is_up_has_taken_its_share(host: Host) -> None:
    host.there = [
        Container(service="lms", name="acme-lms", group="", state="running", health="healthy", image="x")
    ]
    told = onboarding.dry_run(REQUEST)
    assert told["running"] == ["acme-lms"]
    assert (told["note"], told["exit_code"]) == (None, 0)
    assert host.asked == ["drive"]


def test_the_drive_is_looked_at_before_minutes_of_building(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Tenant] = []
    monkeypatch.setattr(image_supply, "prepare_images", lambda tenant, say: built.append(tenant))
    host.mounted = False
    with pytest.raises(DriveMissing):
        onboarding.onboard(REQUEST)
    assert built == []
