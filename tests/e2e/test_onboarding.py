"""From a host name to a first log-in, and back to nothing: `new`, `purge`, `orphans`, `logs`, `open`."""

import json
import os
import random
import signal
import time
from functools import partial
from typing import Any

import pytest

from testbed.checkout import Checkout, Running
from testbed.light import LightPortals
from testbed.objects import Objects
from testbed.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

NAME = "e2e-light-1"
STEPS = {"host and drive", "images", "tenant file", "portal", "first log-in"}
KILLS = int(os.environ.get("PORTAL_KILLS", "3"))
SEED = int(os.environ.get("PORTAL_SEED") or random.SystemRandom().randrange(10**6))


def words(checkout: Checkout, name: str = NAME) -> list[str]:
    """What an operator types. With the images that are light here, whatever registry could be reached."""
    words = ["new", name, "--lms", f"{name}.localhost", "--images", "packages", "--mail", "sink"]
    return [*words, "--root", str(checkout.drive)]


def everything(checkout: Checkout, objects: Objects, name: str = NAME) -> dict[str, Any]:
    """All that there may be of a tenant, and of what a dry run could have touched."""
    return {
        "files": sorted(str(path) for path in (checkout.folder / "tenants").iterdir()),
        "state": sorted(str(path) for path in (checkout.backend / "stacks").rglob("*") if path.is_file()),
        "objects": sorted(objects.ids(name)),
        "drive": objects.run_on_drive(checkout.drive, "find /drive -mindepth 1 | sort"),
        "passwords": (checkout.data / "portals" / "tenants" / name).exists(),
    }


def test_a_dry_run_shows_everything_and_touches_nothing(fleet: LightPortals) -> None:
    before = everything(fleet.checkout, fleet.objects)
    ran = fleet.checkout.portal(*words(fleet.checkout), "--dry-run", "--json")
    assert ran.code == 0, str(ran)
    facts = ran.facts()
    assert f"lms: {NAME}.localhost" in facts["text"]
    assert "lms" in facts["services"]
    assert everything(fleet.checkout, fleet.objects) == before


def test_a_tenants_whole_life(fleet: LightPortals) -> None:
    """Onboarded; asked twice, nothing changes; other words are refused; purged, nothing is left."""
    checkout, objects = fleet.checkout, fleet.objects
    before = everything(checkout, objects)
    ran = checkout.portal(*words(checkout), "--json")
    assert ran.code == 0, str(ran)
    facts = ran.facts()
    assert set(facts["steps"]) == STEPS
    assert facts["log_in_link"].startswith("http://")
    assert facts["deviations"] == []
    made = everything(checkout, objects)

    again = checkout.portal(*words(checkout), "--json")
    assert again.code == 0, str(again)
    assert again.facts()["changes"] == []
    assert everything(checkout, objects) == made

    other = checkout.portal(*words(checkout), "--title", "Another")
    assert other.code == 2, str(other)
    assert f"tenants/{NAME}.yaml: title: is " in other.err
    assert everything(checkout, objects) == made

    assert f"http://{NAME}.localhost" in checkout.portal("open", NAME, "--print").out
    assert "light" in checkout.portal("logs", NAME, "lms").out
    assert checkout.portal("logs", NAME, "lmss").code == 2

    running = checkout.portal("purge", NAME, "--confirm", NAME)
    assert running.code == 1, str(running)
    assert "is up" in running.err
    rehearsed = checkout.portal("purge", NAME, "--dry-run")
    assert rehearsed.code == 0, str(rehearsed)
    assert (
        f"destroy the portal before you purge it: ./portal destroy {NAME} --confirm {NAME}" in rehearsed.out
    )
    assert "exited (0)" in checkout.portal("status", NAME).out
    assert checkout.portal("destroy", NAME, "--confirm", NAME).code == 0
    for target in (f"big/{NAME}", f"{checkout.base}/disk/{NAME}"):
        moved_away(fleet, target)
    elsewhere(checkout)
    previewed = checkout.portal("preview", NAME, "--json")
    assert previewed.code == 8, str(previewed)
    assert f"the data of {NAME} is in {checkout.drive}/{NAME} and is left behind" in previewed.out
    shown = checkout.portal("purge", NAME, "--dry-run", "--json").facts()
    assert shown["directories"] == [f"{checkout.drive}/{NAME}"]
    assert checkout.portal("purge", NAME).code == 3
    assert fleet.objects.run_on_drive(checkout.drive, f"ls -d /drive/{NAME}").strip()
    purged = checkout.portal("purge", NAME, "--confirm", NAME, "--json")
    assert purged.code == 0, str(purged)
    assert everything(checkout, objects) == before
    left = [path for path in (checkout.data / "portals").rglob(f"*{NAME}*") if "workers" not in path.parts]
    assert left == []


def linked(fleet: LightPortals, target: str) -> None:
    """Move the portal's directory to where `target` leads, from the drive's root or by its whole path, with a link in its place."""
    target = target.replace(str(fleet.checkout.base), "/drive")
    fleet.objects.run_on_drive(
        fleet.checkout.base,
        f"cd /drive/drive && mkdir -p $(dirname {target}) && mv -T {NAME} {target} && "
        f"ln -s {target.replace('/drive', str(fleet.checkout.base), 1)} {NAME}",
    )


def back(fleet: LightPortals, target: str) -> None:
    """What a remedy says: the link goes, and the directory is in its place again."""
    target = target.replace(str(fleet.checkout.base), "/drive")
    fleet.objects.run_on_drive(
        fleet.checkout.base,
        f"cd /drive/drive && rm {NAME} && mv -T {target} {NAME} && rmdir $(dirname {target})",
    )


def moved_away(fleet: LightPortals, target: str) -> None:
    """A link for the data: neither purged, with or without asking, nor started with, and both are still there."""
    checkout = fleet.checkout
    linked(fleet, target)
    moved = (
        "cd /drive && for each in drive disk; do [ ! -e $each ] || find $each -printf '%p %l\n'; done | sort"
    )
    before = fleet.objects.run_on_drive(checkout.base, moved)
    for words in (["purge", NAME, "--confirm", NAME], ["purge", NAME, "--dry-run"], ["up", NAME]):
        ran = checkout.portal(*words)
        assert ran.code == 7, str(ran)
        assert f"{checkout.drive}/{NAME} on the engine's host is a symbolic link to {target}" in ran.err
    assert checkout.portal("purge", NAME, "--owner", "unknown", "--confirm", NAME).code == 7
    assert fleet.objects.run_on_drive(checkout.base, moved) == before
    back(fleet, target)


def elsewhere(checkout: Checkout) -> None:
    """Have the tenant's file name another drive, which it is never brought up on."""
    other = checkout.base / "another-drive"
    other.mkdir(exist_ok=True)
    assert checkout.portal("drive", "init", str(other)).code == 0
    file = checkout.folder / "tenants" / f"{NAME}.yaml"
    text = file.read_text()
    assert str(checkout.drive) in text
    file.write_text(text.replace(str(checkout.drive), str(other)))


def test_what_belongs_to_no_tenant_is_listed_and_can_be_purged(fleet: LightPortals) -> None:
    checkout = fleet.checkout
    assert checkout.portal(*words(checkout), "--json").code == 0
    assert not [each for each in orphans(checkout) if each["tenant"] == NAME]
    (checkout.folder / "tenants" / f"{NAME}.yaml").unlink()
    (left,) = (each for each in orphans(checkout) if each["tenant"] == NAME)
    assert left["side"] == "ours"
    kinds = {each["kind"] for each in left["parts"]}
    # The drive, too, is known by the stack.
    assert kinds == {"container", "network", "volume", "stack", "directory"}
    # Without its file the engine and the drive are found by the stack; what runs is not taken away unasked.
    assert checkout.portal("purge", NAME, "--confirm", NAME).code == 1
    for each in fleet.objects.containers(NAME).values():
        fleet.objects.client.stop(each["Id"], timeout=1)
    linked(fleet, f"big/{NAME}")
    shown = [part for each in orphans(checkout) if each["tenant"] == NAME for part in each["parts"]]
    assert [(each["name"], each["target"]) for each in shown if each["kind"] == "link"] == [
        (f"{checkout.drive}/{NAME}", f"big/{NAME}")
    ]
    back(fleet, f"big/{NAME}")
    purged = checkout.portal("purge", NAME, "--confirm", NAME)
    assert purged.code == 0, str(purged)
    assert not [each for each in orphans(checkout) if each["tenant"] == NAME]
    assert not fleet.objects.run_on_drive(checkout.drive, f"ls /drive | grep -x {NAME} || true").strip()


def orphans(checkout: Checkout) -> list[dict[str, Any]]:
    """What `./portal orphans --json` finds."""
    ran = checkout.portal("orphans", "--json")
    assert ran.code == 0, str(ran)
    portals: list[dict[str, Any]] = json.loads(ran.out)["portals"]
    return portals


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_onboarding_killed_anywhere_goes_on(fleet: LightPortals) -> None:
    """`kill -9` at random moments, alone or with all that it has started; the same words end with a whole portal."""
    checkout = fleet.checkout
    chance = random.Random(SEED)
    whole = checkout.portal(*words(checkout), "--json").seconds
    for number in range(KILLS):
        cleared(fleet)
        moment = chance.random() * whole
        running = checkout.start("./portal", *words(checkout), "--json")
        until("the moment of the kill", partial(later, running, moment), limit=whole + 10)
        if number % 2:
            os.killpg(running.process.pid, signal.SIGKILL)
        else:
            running.process.kill()
        running.wait(30)
        again = checkout.portal(*words(checkout), "--json")
        print(
            f"\nseed {SEED}: kill {number} after {moment:.1f} of {whole:.1f} s; went on in {again.seconds:.1f} s"
        )
        assert again.code == 0, str(again)
        assert checkout.portal("status", NAME, "--json").facts()["healthy"]
        assert checkout.portal("preview", NAME, "--refresh", "--json").facts()["changes"] == []
        assert not list((checkout.backend / "locks").rglob("*.json"))
        assert len(list((checkout.folder / "tenants").glob(f"*{NAME}*"))) == 2


def later(running: Running, moment: float) -> bool:
    """Whether a command has run for so many seconds."""
    return time.monotonic() - running.since > moment


def cleared(fleet: LightPortals) -> None:
    """Nothing of the tenant is left."""
    fleet.checkout.portal("destroy", NAME, "--confirm", NAME)
    assert fleet.checkout.portal("purge", NAME, "--confirm", NAME).code == 0
