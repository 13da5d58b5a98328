"""Nothing starts on the wrong disk: the drive away, a directory gone, no space. The error says what to do."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.checkout import Checkout
from testbed.trial import Trial

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]


def entries(folder: Path) -> list[str]:
    """What lies below a folder; nothing when it is not there."""
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*"))


@pytest.fixture(params=["an empty directory", "no directory"])
def unmounted(request: pytest.FixtureRequest, fir: Trial) -> Trial:
    """A tenant whose drive is not mounted: its root is as the host's own disk has it."""
    fir.root = fir.checkout.base / "unmounted"
    if request.param == "an empty directory":
        fir.root.mkdir(exist_ok=True)
    elif fir.root.exists():
        fir.root.rmdir()
    fir.write()
    return fir


def test_an_up_without_the_drive_starts_nothing(unmounted: Trial) -> None:
    """Exit code 7, the path, the remedy; nothing is made on the engine or on the host's own disk."""
    ran = unmounted.checkout.portal("up", unmounted.name)
    assert ran.code == 7, str(ran)
    assert f"{unmounted.root}/.portals-drive does not exist on the engine's host" in ran.err
    assert f"./portal drive init {unmounted.root}" in ran.err
    assert "Traceback" not in ran.output
    assert unmounted.objects.ids(unmounted.name) == set()
    assert entries(unmounted.root) == []


def test_the_plain_cli_without_the_drive_starts_no_service(unmounted: Trial) -> None:
    """It asks no command of ours, so the program itself must see to it."""
    ran = unmounted.checkout.shell(
        f"pulumi stack select --create {unmounted.name} && pulumi up --yes --skip-preview"
    )
    assert ran.code != 0, str(ran)
    assert "bind source path does not exist" in ran.output
    assert "Traceback" not in ran.output
    assert unmounted.objects.containers(unmounted.name, jobs=False) == {}
    assert entries(unmounted.root) == []


def test_a_running_portals_directory_that_is_gone(fir: Trial) -> None:
    """An empty database in the place of a client's must never come up; with the directory back, all is well."""
    fir.up()
    fir.destroy()
    fir.objects.run_on_drive(fir.root, f"mv /drive/{fir.name}/mysql /drive/mysql-aside")
    ran = fir.checkout.portal("up", fir.name)
    assert ran.code == 1, str(ran)
    assert "missing on the drive, with their data: mysql" in ran.output
    assert f"{fir.directory}/.portal/directories" in ran.output
    assert "from a backup" in ran.output
    assert fir.objects.containers(fir.name, jobs=False) == {}
    assert "mysql" not in fir.objects.run_on_drive(fir.root, f"ls /drive/{fir.name}").split()
    fir.objects.run_on_drive(fir.root, f"mv /drive/mysql-aside /drive/{fir.name}/mysql")
    fir.up()
    fir.assert_whole()


@pytest.fixture
def small(checkout: Checkout, fir: Trial) -> Iterator[Trial]:
    """A tenant on a drive of 600 MiB, which is a file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    fir.root = checkout.base / "small"
    fir.root.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600m", "portals-e2e", str(fir.root)], check=True, timeout=30
    )
    marked = checkout.portal("drive", "init", str(fir.root))
    assert marked.code == 0, str(marked)
    fir.write()
    yield fir
    fir.destroy()
    subprocess.run(["umount", str(fir.root)], check=True, timeout=30)


def test_a_drive_without_space(small: Trial) -> None:
    """Data stores that start on a full disk break their files; with space, the same command ends well."""
    ran = small.checkout.portal("up", small.name)
    assert ran.code == 10, str(ran)
    assert "MiB free, but the containers that write to it need 1024 to start" in ran.output
    assert "free some space on the drive" in ran.output
    assert small.objects.containers(small.name, jobs=False) == {}
    assert entries(small.directory) == []
    subprocess.run(["mount", "-o", "remount,size=3g", str(small.root)], check=True, timeout=30)
    small.up()
    small.assert_whole()
