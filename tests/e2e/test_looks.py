"""Looking touches nothing: not the backend, the checkout, the engine or the drive, whatever there is of a portal."""

from pathlib import Path

import pytest

from testbed.checkout import Running
from testbed.light import LightPortals
from testbed.processes import cli_started_by
from testbed.trial import Trial
from testbed.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

NEW = (
    "new",
    "e2e-light-20",
    "--lms",
    "new.localhost",
    "--images",
    "packages",
    "--port",
    "18999",
    "--subnet",
    "10.77.199.0/24",
    "--root",
    "{2}",
    "--dry-run",
)
# Every verb that says of itself that it changes nothing; {0} is a portal that is up, {1} one that never was, {2} the drive.
LOOKS: tuple[tuple[str, ...], ...] = (
    ("preview", "{0}"),
    ("preview", "{0}", "--refresh", "--json"),
    ("preview", "{1}"),
    ("preview", "--all", "--markdown"),
    ("destroy", "{0}", "--dry-run"),
    ("destroy", "{1}", "--dry-run"),
    ("status", "{0}"),
    ("status", "{1}"),
    ("tenants",),
    ("logs", "{0}", "--tail", "1"),
    ("open", "{0}", "--print"),
    NEW,
    ("purge", "{0}", "--dry-run"),
    ("purge", "{1}", "--dry-run"),
    ("orphans",),
    ("images", "list"),
)
# 6 is a portal that is not up, 8 data at risk: those were looked at, too.
CODES = (0, 6, 8)


def files(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Every file and folder below one, with what changes when somebody writes there; Python's byte code is its own."""
    return {
        str(path.relative_to(folder)): (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        for path in [folder, *folder.rglob("*")]
        if "__pycache__" not in path.parts
        for stat in [path.lstat()]
        # A folder in which byte code was written for the first time.
        if not (path.is_dir() and (path / "__pycache__").exists())
    }


def state_of(portal: Trial) -> dict[str, object]:
    """All that others may be using."""
    client = portal.objects.client
    checkout = portal.checkout
    return {
        "backend": files(checkout.backend.parent),
        "admins": files(checkout.data / "portals" / "tenants"),
        "checkout": files(checkout.folder),
        "drive": portal.objects.run_on_drive(checkout.drive, "find /drive -printf '%p %s %T@\\n' | sort"),
        "containers": sorted(each["Id"] for each in client.containers(all=True)),
        "networks": sorted(each["Id"] for each in client.networks()),
        "volumes": sorted(each["Name"] for each in client.volumes()["Volumes"] or []),
        "images": sorted(each["Id"] for each in client.images(all=True)),
        "left": sorted(map(str, (checkout.data / "portals" / "workers").glob("*/look/*/*"))),
    }


@pytest.mark.alone
def test_a_look_changes_nothing(fleet: LightPortals) -> None:
    up, never = fleet.trials(2)
    up.up()
    # What the first command of its kind makes on a machine: the image that looks at the drive.
    assert fleet.checkout.portal("orphans").code == 0
    before = state_of(up)
    for words in LOOKS:
        ran = fleet.checkout.portal(*(each.format(up.name, never.name, up.root) for each in words))
        assert ran.code in CODES, str(ran)
        after = state_of(up)
        for what, state in before.items():
            assert after[what] == state, (words, what)
    # As in another operator's checkout: the settings of a portal that is up are not there, and no look writes them.
    settings = fleet.checkout.folder / "tenants" / f"Pulumi.{up.name}.yaml"
    kept = settings.read_text()
    settings.unlink()
    before = state_of(up)
    assert up.changes() == []
    assert state_of(up) == before
    settings.write_text(kept)


def test_a_look_at_a_drive_that_is_not_mounted_makes_no_directory(fleet: LightPortals) -> None:
    """An engine makes the source of a bind that its host lacks; that would pass for the drive's own root."""
    away = fleet.trial(1)
    away.root = fleet.checkout.base / "looks-unmounted"
    away.write()
    new = ("new", "e2e-light-2", "--lms", "new.localhost", "--images", "packages", "--root", str(away.root))
    for words, code in (
        (("status", away.name), 6),
        (("purge", away.name, "--dry-run"), 7),
        (("orphans",), 0),
        (("preview", away.name), 7),
        ((*new, "--dry-run"), 7),
        (new, 7),
    ):
        ran = fleet.checkout.portal(*words)
        assert ran.code == code, str(ran)
        assert not away.root.exists(), words
        if words[0] == "status":
            assert f"drive: unknown: {away.root} is not mounted on the engine's host" in ran.out, str(ran)
            assert f"./portal drive init {away.root}" in ran.out, str(ran)
        if words[0] == "new":
            assert f"./portal drive init {away.root}" in ran.err, str(ran)


def test_a_preview_of_a_new_tenant_and_its_first_up_at_the_same_moment(fleet: LightPortals) -> None:
    """Neither takes the stack from the other, and a preview's end is not the end of what the `up` has made."""
    aspen = fleet.trial(1)
    looks = [fleet.checkout.start("./portal", "preview", aspen.name, "--json") for _ in range(2)]
    until("the first preview's CLI", lambda: begun(looks[0]), limit=120)
    ran = fleet.checkout.portal("up", aspen.name, "--json")
    assert ran.code == 0, str(ran)
    for each in looks:
        code = each.wait(120)
        assert code.code == 0, str(code)
        assert code.facts()["changes"], str(code)
    aspen.assert_whole()
    assert (fleet.checkout.folder / "tenants" / f"Pulumi.{aspen.name}.yaml").exists()


def begun(running: Running) -> bool:
    """Whether a preview's CLI runs, or its command has ended."""
    return running.process.poll() is not None or cli_started_by(running.process.pid, "preview") is not None
