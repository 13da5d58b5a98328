"""Pulumi's CLI: on PATH already, downloaded as Pulumi publishes it, or built from its Go module."""

import hashlib
import os
import shutil
import tarfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

from toolchain import files
from toolchain.errors import ToolchainError
from toolchain.parts.golang import FOLDER, Go, progress
from toolchain.pins import Pins
from toolchain.process import Runner

MODULE = FOLDER / "cli"
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK = "github.com/pulumi/pulumi/sdk/v3"
DOWNLOAD_LIMIT = 60  # seconds without a byte


def build(pins: Pins, go: Go, to: Path, runner: Runner, say: Callable[[str], None]) -> Path:
    """Build the CLI from its module into a folder; return the program. Raises ToolchainError."""
    to.mkdir(parents=True, exist_ok=True)
    made = files.unfinished(to / "pulumi")
    stamp = f"-X {SDK}/go/common/version.Version=v{pins.pulumi}"
    go.build(
        MODULE,
        PACKAGE,
        made,
        runner,
        log="pulumi",
        flags=("-tags", "osusergo,grpcnotrace", "-ldflags", f"-s -w {stamp}"),
        watch=progress(say),
    )
    files.move_into_place(made, to / "pulumi")
    return to / "pulumi"


def address(pins: Pins, machine: str) -> str:
    """Where Pulumi publishes the CLI with its language hosts. machine: as `uname -m` says it."""
    names = {"x86_64": "x64", "aarch64": "arm64"}
    if machine not in names:
        raise ToolchainError(f"Pulumi publishes no CLI for {machine}, only for {', '.join(names)}")
    return pins.official.format(version=pins.pulumi, machine=names[machine])


def archive(pins: Pins, machine: str) -> str:
    """The name of that file, by which its sum is pinned."""
    return address(pins, machine).rpartition("/")[2]


def reachable(url: str, limit: float = 3.0) -> bool:
    """Whether a download may be had from here; says so within `limit` seconds, name look-up included."""
    import threading

    answers: list[bool] = []

    def probe() -> None:
        try:
            request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - an address from pins.toml
            with urllib.request.urlopen(request, timeout=limit) as reply:  # noqa: S310
                answers.append(reply.status == 200)
        except (OSError, ValueError):
            answers.append(False)

    # A name server that does not answer blocks its caller for longer than any time-out of ours.
    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(limit)
    return bool(answers and answers[0])


def download(url: str, to: Path, sha256: str) -> Path:
    """Download the CLI and its language hosts into a folder; return the CLI. Raises ToolchainError.

    wanted: the archive's SHA-256. Nothing is unpacked of an archive that has another.
    """
    to.mkdir(parents=True, exist_ok=True)
    archive = files.unfinished(to / "pulumi.tar.gz")
    try:
        with urllib.request.urlopen(url, timeout=DOWNLOAD_LIMIT) as reply, archive.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(reply, file)
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != sha256:
            raise ToolchainError(
                f"pulumi: {url} is not the archive of toolchain/pins.toml: its SHA-256 is {digest}, "
                f"expected {sha256}; nothing was unpacked. PORTAL_TOOLCHAIN=packages builds it from "
                "its Go module instead"
            )
        unpack(archive, to)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise ToolchainError(
            f"pulumi: cannot download {url}: {error}; PORTAL_TOOLCHAIN=packages builds it from its Go module instead"
        ) from error
    finally:
        archive.unlink(missing_ok=True)
    return to / "pulumi"


def unpack(archive: Path, to: Path) -> None:
    """Put the programs of Pulumi's archive (pulumi/pulumi, pulumi/pulumi-language-python, …) into a folder."""
    with tarfile.open(archive) as tar:
        for member in tar:
            name = Path(member.name)
            # Plain files one level down and nothing else: no links, no paths that lead elsewhere.
            content = tar.extractfile(member) if member.isfile() else None
            if content is None or name.parts != ("pulumi", name.name):
                continue
            made = files.unfinished(to / name.name)
            try:
                with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755), "wb") as file:
                    shutil.copyfileobj(content, file)
                files.move_into_place(made, to / name.name)
            finally:
                made.unlink(missing_ok=True)
    if not (to / "pulumi").is_file():
        raise tarfile.TarError("no pulumi/pulumi in the archive")


def check(program: Path, pins: Pins, runner: Runner, home: Path) -> str:
    """The version that a CLI tells; raises ToolchainError when it does not run or tells another than the pinned one."""
    output, why = runner.answer(
        [program, "version"], limit=60, env={"PULUMI_HOME": str(home), "PULUMI_SKIP_UPDATE_CHECK": "1"}
    )
    version = output.strip()
    if version != f"v{pins.pulumi}":
        raise ToolchainError(
            f"pulumi: {program} reports version {version or 'nothing at all'!r}, expected v{pins.pulumi}"
            + (f"; {why}" if why else "")
        )
    return pins.pulumi
