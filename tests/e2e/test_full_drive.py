"""A drive that is full at some moment of a store's first start: it heals as soon as there is space, without a hand."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import docker
import pytest

from testbed.waiting import until
from tests.e2e.image_engine import engine_with_images
from tests.e2e.image_trial import (
    IMAGES_NETWORK,
    KINDS,
    READY_LIMIT_SECONDS,
    ImageContainer,
    StoreContract,
    fresh_secrets,
    store,
)

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

LOADERS = ("mysql", "mongo", "redis", "rabbitmq", "elasticsearch")
# How much of what a whole first start takes there is, in files and in bytes. The last files are the marks.
TRIES = 3
SHARES = (0.1, 0.6)


@pytest.fixture(scope="module")
def client() -> Iterator[docker.APIClient]:
    with engine_with_images(LOADERS) as made:
        yield made


class Drive:
    """A file system of its own, small or not."""

    def __init__(self, root: Path, kind: StoreContract) -> None:
        self.root, self.kind = root, kind

    def mount(self, limit: str) -> None:
        self.run(
            "mount", "-t", "tmpfs", "-o", f"{limit},mode=0750,uid={self.kind.uid},gid={self.kind.uid}", "full"
        )

    def enlarge(self) -> None:
        self.run("mount", "-o", "remount,size=1g,nr_inodes=100000")

    def unmount(self) -> None:
        self.run("umount")

    def run(self, *words: str) -> None:
        subprocess.run([*words, str(self.root)], check=True, timeout=30)

    def used(self) -> tuple[int, int]:
        """Files, and bytes."""
        usage = os.statvfs(self.root)
        return usage.f_files - usage.f_ffree, (usage.f_blocks - usage.f_bfree) * usage.f_frsize


@pytest.fixture(params=LOADERS)
def drive(request: pytest.FixtureRequest, client: docker.APIClient, tmp_path: Path) -> Iterator[Drive]:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    for each in (tmp_path, *tmp_path.parents):
        if each.stat().st_uid == os.getuid() and each != Path("/"):
            each.chmod(each.stat().st_mode | 0o055)
    (tmp_path / "drive").mkdir()
    yield Drive(tmp_path / "drive", KINDS[request.param])
    for each in client.containers(all=True, filters={"label": IMAGES_NETWORK.label}):
        client.remove_container(each["Id"], force=True, v=True)


def settled(box: ImageContainer) -> bool:
    """Whether it has ended, or is ready."""
    return not box.state["Running"] or box.ready()


def usable(box: ImageContainer) -> bool:
    """Whether it has ended, or is ready, and is ready."""
    return settled(box) and box.ready()


def wait_for_a_start(box: ImageContainer) -> None:
    """Start it and let it come as far as it comes: some wait for space, some end."""
    box.start()
    # It may end between two looks, or wait.
    with contextlib.suppress(AssertionError):
        until(f"{box.name} to be ready or to end", lambda: settled(box), limit=20)
    if box.state["Running"]:
        box.kill()


def test_a_drive_full_at_the_first_start_heals(drive: Drive, client: docker.APIClient) -> None:
    kind = drive.kind
    secrets = fresh_secrets(kind)
    drive.mount("size=1g")
    box = store(client, kind, drive.root, secrets, name=f"c-{kind.role}-full").create().start()
    box.wait_ready()
    files, size = drive.used()
    box.remove()
    drive.unmount()
    limits = [f"nr_inodes={max(2, int(files * share))}" for share in SHARES]
    limits += [f"nr_inodes={max(2, files - few)}" for few in (1, 0)]
    limits += [f"size={max(4096, int(size * share))}" for share in SHARES]
    for limit in limits:
        drive.mount(limit)
        box = store(client, kind, drive.root, secrets, name=f"c-{kind.role}-full").create()
        wait_for_a_start(box)
        drive.enlarge()
        before = box.logs()
        box.start()
        try:
            until(
                f"{kind.role} to be ready after {limit}",
                partial(usable, box),
                limit=READY_LIMIT_SECONDS,
            )
        except AssertionError as error:
            raise AssertionError(f"{limit} of {files} files, {size} bytes: {before[-2000:]}") from error
        box.remove()
        drive.unmount()


@pytest.mark.parametrize("drive", ["rabbitmq"], indirect=True)
def test_a_drive_full_when_the_start_is_marked_as_whole(drive: Drive, client: docker.APIClient) -> None:
    """One of the two marks is always there: with neither, the store would take its own files for another's, for ever."""
    kind, secrets = drive.kind, fresh_secrets(drive.kind)

    def begun() -> ImageContainer:
        drive.mount("size=1g")
        return store(client, kind, drive.root, secrets, name=f"c-{kind.role}-full").create().start()

    box = begun()
    box.wait_ready()
    until("the mark", (drive.root / ".portal-initialised").exists, limit=READY_LIMIT_SECONDS)
    files, _ = drive.used()
    box.remove()
    drive.unmount()

    for _ in range(TRIES):
        box = begun()
        until("the last moment", lambda: full(drive, files), limit=READY_LIMIT_SECONDS)
        drive.run("mount", "-o", f"remount,nr_inodes={drive.used()[0]}")
        hit = (drive.root / ".portal-initialising").exists()
        box.wait_ready()
        until("the mark", (drive.root / ".portal-initialised").exists, limit=30)
        box.kill()
        drive.enlarge()
        box.start().wait_ready()
        assert "did not finish" not in box.logs()
        box.remove()
        drive.unmount()
        if hit:
            return
    raise AssertionError(f"the moment before the mark was missed {TRIES} times")


def full(drive: Drive, files: int) -> bool:
    """Whether all is made but the last mark: that moment is shorter than the pause between two looks."""
    end = time.monotonic() + 1
    while time.monotonic() < end:
        if drive.used()[0] >= files:
            return True
    return False
