"""What the demo marks as a drive, and what it never does."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from automation.drive import demo, sentinel
from automation.drive.demo import MOUNTS, ROOT, refusal, refuse_moved
from automation.drive.sentinel import DriveMissing
from automation.errors import PortalError
from config.tenant.tenant import Tenant
from tests.programs import TENANTS


@pytest.mark.parametrize(
    ("root", "others", "mounts", "why"),
    [
        (ROOT, {}, [], ""),
        (ROOT, {"acme": "/srv/portals"}, ["/", "/boot", "none", "swap"], ""),
        ("/srv/portals", {}, [], "marks only its own"),
        (ROOT, {"acme": ROOT}, [], "tenants/acme.yaml has its drive"),
        (ROOT, {"acme": f"{ROOT}/below"}, [], "tenants/acme.yaml has its drive"),
        (ROOT, {}, [ROOT], f"mounts a file system at {ROOT}"),
        (ROOT, {}, ["/srv"], "mounts a file system at /srv"),
        (ROOT, {}, [f"{ROOT}/demo"], "mounts a file system"),
    ],
)
def test_the_demo_marks_its_own_directory_alone(
    root: str, others: dict[str, str], mounts: list[str], why: str
) -> None:
    refusal_text = refusal(root, others, mounts)
    assert why in refusal_text
    assert bool(why) is bool(refusal_text)


def test_the_demo_of_this_repository_has_its_own_directory_and_no_other_tenant_there() -> None:
    assert Tenant.load("demo", TENANTS).storage.root == ROOT
    assert Tenant.load("acme", TENANTS).storage.root != ROOT


def test_the_host_s_mounts_are_read_of_fstab_and_units(tmp_path: Path) -> None:
    units = tmp_path / "systemd" / "system"
    units.mkdir(parents=True)
    script = MOUNTS.replace("/host", str(tmp_path))

    def mount_points() -> list[str]:
        ran = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=30, check=True)
        return sorted(ran.stdout.split())

    assert mount_points() == []
    (tmp_path / "fstab").write_text(
        "# UUID=1 /none ext4\nUUID=2 / ext4\nnas:/p /srv/portals nfs4 noauto 0 0 # x\n"
    )
    (units / "srv-two.mount").write_text("[Mount]\nWhat=nas:/two\nWhere=/srv/two\n")
    (units / "srv-three.automount").write_text("[Automount]\nWhere=/srv/three\n")
    assert mount_points() == ["/", "/srv/portals", "/srv/three", "/srv/two"]


def test_nothing_is_marked_where_it_is_not_the_demo_s(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(sentinel, "has_sentinel", lambda client, root: False)
    monkeypatch.setattr(sentinel, "run_on_drive", lambda client, root, script, **how: "/srv/portals-demo")
    monkeypatch.setattr(sentinel, "init", lambda client, root, say: made.append(root))
    client: Any = None
    with pytest.raises(DriveMissing, match=r"drive init /srv/portals-demo"):
        demo.prepare(client, ROOT, {}, print)
    assert made == []
    monkeypatch.setattr(sentinel, "run_on_drive", lambda client, root, script, **how: "/ /boot")
    demo.prepare(client, ROOT, {}, print)
    assert made == [ROOT]


def test_a_demo_with_data_elsewhere_does_not_begin_empty() -> None:
    refuse_moved(ROOT, [])
    refuse_moved(ROOT, [ROOT, "/srv/portals"])
    with pytest.raises(PortalError, match=r"storage: \{root: /srv/portals\}"):
        refuse_moved(ROOT, ["/srv/portals"])


def test_the_way_to_begin_anew_is_one_that_purge_takes() -> None:
    """Nothing ever was at the new root, so purge can look at the old one alone; and it removes the tenant's file."""
    with pytest.raises(PortalError) as refused:
        refuse_moved(ROOT, ["/srv/portals"])
    assert f"`./portal purge demo --gone {ROOT} --confirm demo`" in str(refused.value)
    assert str(refused.value).endswith("`git checkout tenants/demo.yaml`")
