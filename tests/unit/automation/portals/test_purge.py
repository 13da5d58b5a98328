"""What purge deletes on a drive, and what it leaves; what orphans says of each."""

import os
import subprocess
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from automation.drive import data_locations, symbolic_links, usage
from automation.drive.data_locations import DataLocation
from automation.drive.symbolic_links import DataLinked
from automation.engine import inventory
from automation.errors import NoEngine
from automation.portals import orphans, ownership, purge
from automation.portals.orphans import Orphan, by_portal
from automation.portals.ownership import OwnState
from automation.portals.purge import DATA_EXISTS_SCRIPT, DELETE_SCRIPT, log_files, require_valid_name
from automation.stack import Stack
from config.reading.errors import ConfigError
from config.tenant.tenant import Tenant
from tests.programs import TENANTS


def on(drive: Path, script: str) -> str:
    """What a script of purge says, run here instead of in a container."""
    return here(drive, script.format("acme"))


def here(drive: Path, script: str) -> str:
    """What a script says that knows its tenant, or needs none."""
    local_script = script.replace("/drive", str(drive))
    return subprocess.run(
        ["sh", "-c", local_script], check=True, capture_output=True, text=True, timeout=30
    ).stdout.strip()


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """A drive with other tenants, and something beside it that is nobody's business."""
    for each in ("drive/acme-two/mysql", "drive/oak/mysql", "beside"):
        (tmp_path / each).mkdir(parents=True)
        (tmp_path / each / "data").write_text("kept")
    (tmp_path / "drive" / ".portals-drive").write_text("portals-drive\n")
    return tmp_path / "drive"


def kept(drive: Path) -> list[str]:
    """All that there is, on the drive and beside it."""
    return sorted(str(each.relative_to(drive.parent)) for each in drive.parent.rglob("*"))


def whole(drive: Path) -> None:
    (drive / "acme" / "mysql").mkdir(parents=True)
    (drive / "acme" / "mysql" / "data").write_text("goes")
    # A service's own link, in its own directory.
    (drive / "acme" / "mysql" / "link").symlink_to(drive.parent / "beside")


def half(drive: Path) -> None:
    (drive / ".purged-acme" / "mysql").mkdir(parents=True)


def half_and_whole(drive: Path) -> None:
    half(drive)
    whole(drive)


@pytest.mark.parametrize("made", [whole, half, half_and_whole])
def test_the_tenant_s_directory_goes_and_nothing_else(drive: Path, made: object) -> None:
    before = kept(drive)
    assert on(drive, DATA_EXISTS_SCRIPT) == ""
    assert callable(made)
    made(drive)
    assert on(drive, DATA_EXISTS_SCRIPT) == "there"
    on(drive, DELETE_SCRIPT)
    assert on(drive, DATA_EXISTS_SCRIPT) == ""
    assert kept(drive) == before
    # Once more changes nothing.
    on(drive, DELETE_SCRIPT)
    assert kept(drive) == before


def moved(drive: Path, name: str, target: Path) -> None:
    """A whole portal, of which one path is a link to where an operator has moved what was there."""
    whole(drive)
    target.parent.mkdir(exist_ok=True)
    (drive / name).rename(target)
    (drive / name).symlink_to(target)


def inside(drive: Path) -> None:
    whole(drive)
    (drive / "big").mkdir()
    (drive / "acme").rename(drive / "big" / "acme")
    (drive / "acme").symlink_to("big/acme")


def outside(drive: Path) -> None:
    moved(drive, "acme", drive.parent / "disk" / "acme")


def dangling(drive: Path) -> None:
    (drive / "acme").symlink_to(drive / "nowhere")


def half_moved(drive: Path) -> None:
    half(drive)
    (drive / ".purged-acme").rename(drive.parent / "half")
    (drive / ".purged-acme").symlink_to(drive.parent / "half")


@pytest.mark.parametrize(
    ("made", "name", "target"),
    [
        (inside, "acme", "big/acme"),
        (outside, "acme", "/disk/acme"),
        (dangling, "acme", "/nowhere"),
        (half_moved, ".purged-acme", "/half"),
    ],
)
def test_a_link_in_the_place_of_the_data_is_told_and_stays(
    drive: Path, made: Callable[[Path], None], name: str, target: str
) -> None:
    made(drive)
    before = kept(drive)
    assert on(drive, DATA_EXISTS_SCRIPT) == "there"
    (link,) = symbolic_links.parse(on(drive, symbolic_links.LINKS_SCRIPT))
    assert link.name == name
    assert link.target.endswith(target)
    with pytest.raises(
        DataLinked, match=r"nothing was removed: .* is a symbolic link to .*move the data back"
    ):
        symbolic_links.refuse("/srv/portals", [link], "nothing was removed")
    # Made between the look and the deletion.
    with pytest.raises(subprocess.CalledProcessError) as refused:
        on(drive, DELETE_SCRIPT)
    assert f"{name} is a symbolic link" in refused.value.stdout
    assert kept(drive) == before


def test_a_disk_that_is_mounted_in_the_place_of_the_data_is_told(
    drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel moves no mount: as mv then says and ends."""
    whole(drive)
    before = kept(drive)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mv").write_text("#!/bin/sh\necho Device or resource busy >&2\nexit 1\n")
    (tmp_path / "bin" / "mv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        on(drive, DELETE_SCRIPT)
    assert "empty and unmount it on the engine's host, then run the command again" in refused.value.stdout
    assert [each for each in kept(drive) if not each.startswith("bin")] == before


@pytest.mark.parametrize("name", ["acme/mysql", "acme/.portal", "acme/..odd"])
def test_a_link_in_the_place_of_a_service_s_directory_is_told(drive: Path, name: str) -> None:
    whole(drive)
    (drive / "acme" / ".portal").mkdir()
    (drive / "acme" / "..odd").mkdir()
    assert symbolic_links.parse(on(drive, symbolic_links.LINKS_SCRIPT)) == ()
    (drive / name).rename(drive.parent / "moved")
    (drive / name).symlink_to(drive.parent / "moved")
    (link,) = symbolic_links.parse(on(drive, symbolic_links.LINKS_SCRIPT))
    assert link.name == name


def test_what_a_link_is_called_forges_no_answer(drive: Path) -> None:
    """Neither a second line nor a terminal's control characters."""
    whole(drive)
    (drive / "acme" / "a\nlink b\tc").symlink_to("x\nlink d\te\x1b[2J")
    (link,) = symbolic_links.parse(on(drive, symbolic_links.LINKS_SCRIPT))
    assert (link.name, link.target) == ("acme/a?link b?c", "x?link d?e?[2J")


def test_a_file_in_the_place_of_a_portal_is_told(drive: Path) -> None:
    (drive / "acme").write_text("a file")
    (file,) = symbolic_links.parse(on(drive, symbolic_links.LINKS_SCRIPT))
    assert (file.name, file.kind) == ("acme", "file")
    with pytest.raises(
        symbolic_links.DataLinked, match="nothing was written: /d/acme on the engine's host is no directory"
    ):
        symbolic_links.refuse("/d", (file,), "nothing was written")


@pytest.mark.parametrize("made", [inside, outside])
def test_no_owner_is_read_through_a_link(drive: Path, made: Callable[[Path], None]) -> None:
    made(drive)
    (drive / "acme" / ".portal").mkdir()
    (drive / "acme" / ".portal" / "owner").write_text("ops@two-2\n")
    assert on(drive, ownership.READ) == ""
    link = drive / "acme"
    at = link.resolve()
    link.unlink()
    assert on(drive, ownership.READ) == ""
    at.rename(link)
    assert on(drive, ownership.READ) == "ops@two-2"


@pytest.mark.parametrize("made", [inside, outside, half_moved])
def test_orphans_names_a_link_and_what_it_leads_to(drive: Path, made: Callable[[Path], None]) -> None:
    made(drive)
    entries, _ = orphans.parse_listing(here(drive, orphans.LIST))
    ((_, name, target),) = [each for each in entries if each[0] == "l"]
    assert (drive / name).is_symlink()
    assert str((drive / name).readlink()) == target
    orphan = Orphan(
        kind="link", name=f"/srv/portals/{name}", tenant="acme", where="/srv/portals", target=target
    )
    (portal,) = by_portal([orphan], OwnState(name="", states={}))
    assert portal.what == "1 link"
    assert f"/srv/portals/{name} on the engine's host is a symbolic link to {target}" in portal.remedy
    assert "purge" not in portal.remedy.replace(name, "")


@pytest.mark.parametrize("name", ["x\nd elm", "elm\nline", "x\nelm", "tab\tname", "-n", "\x1b[2J"])
def test_a_directory_s_name_is_its_own_and_no_other_s(drive: Path, name: str) -> None:
    """Nothing in it is another directory, or says whose another one is."""
    (drive / name / ".portal").mkdir(parents=True)
    (drive / name / ".portal" / "owner").write_text("evil@host-1\n")
    (drive / "elm" / ".portal").mkdir(parents=True)
    (drive / "elm" / ".portal" / "owner").write_text("ops@host-1\n")
    (drive / "link").symlink_to("//")
    entries, owners = orphans.parse_listing(here(drive, orphans.LIST))
    shown = orphans.printable(name)
    assert {each for _, each, _ in entries} >= {"elm", "link", shown}
    assert len(entries) == len([each for each in drive.iterdir() if each.is_symlink() or each.is_dir()])
    assert owners == {"elm": "ops@host-1", shown: "evil@host-1"}


@pytest.mark.parametrize("made", [inside, outside])
def test_a_count_of_files_follows_no_link_and_tells_it(drive: Path, made: Callable[[Path], None]) -> None:
    made(drive)
    (drive / "acme" / ".portal").mkdir()
    before = kept(drive)
    usage_facts = usage.parse(here(drive, usage.USAGE_SCRIPT.format("acme", walk=3, fresh=600)))
    assert [each.name for each in usage_facts.links] == ["acme"]
    assert usage_facts.used is None
    assert "symbolic link" in next(usage.warnings(usage_facts, Tenant.load("acme", TENANTS)))
    assert kept(drive) == before


def test_only_the_tenant_s_own_logs_go(tmp_path: Path) -> None:
    for each in ("acme", "acme-2", "2-acme"):
        (tmp_path / f"organization+portals+{each}-20261122T224116.log").write_text("")
    assert [each.name for each in log_files(tmp_path, "acme")] == [
        "organization+portals+acme-20261122T224116.log"
    ]


@pytest.mark.parametrize(
    "name", ["", ".", "..", "/", "acme/..", "../acme", "a b", "-rf", "lost+found", ".purged-acme"]
)
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        require_valid_name(name)


def test_an_engine_by_an_address_of_the_past_may_be_given_up_and_its_drive_is_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A tunnel's socket, say, or an alias of the local one: what lies on the drive is found by the address of now."""
    tunnel, root = "unix:///run/tunnel.sock", "/srv/elsewhere"
    place = DataLocation(root=root, host=tunnel, drive="d-1")

    def connect(host: str) -> nullcontext[object]:
        if host == tunnel:
            raise NoEngine(f"no Docker engine answers at {host}")
        return nullcontext(SimpleNamespace(info=lambda: {"ID": "e"}))

    monkeypatch.setattr(Stack, "exists", lambda stack: True)
    monkeypatch.setattr(Stack, "state", lambda stack: {})
    monkeypatch.setattr(data_locations, "known_locations", lambda stack, state: (place,))
    monkeypatch.setattr(inventory, "connect", connect)
    monkeypatch.setattr(purge, "tenant_names", lambda folder: [])
    with pytest.raises(NoEngine, match=f"nothing was removed.*--gone {tunnel}"):
        purge.engines(purge.search_scope("acme"))
    scope = purge.search_scope("acme", gone=(tunnel,))
    (host,) = purge.engines(scope)
    assert host != tunnel
    assert replace(place, host=host) in scope.maybe
    assert scope.gone == (tunnel,)
    # A drive that was given up, too, is not searched.
    assert all(each.root != root for each in purge.search_scope("acme", gone=(tunnel, root)).maybe)
