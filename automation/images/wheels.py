"""Python wheels for an image, downloaded on this machine: no build needs a network for pip, nor its certificates."""

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Event as Flag

from automation.images.command import run

LIMIT_SECONDS = 600
PYTHON = "3.11"
# pip itself comes along: the image `python` has none. See images/python/install-wheels.
INSTALLER = "pip"
DOWNLOAD = (
    sys.executable,
    *["-m", "pip", "download", "--progress-bar", "off", "--disable-pip-version-check"],
)
# Debian 12 has glibc 2.36; a wheel may ask for that or for any older one.
_GLIBC = (
    "manylinux_2_36",
    "manylinux_2_35",
    "manylinux_2_34",
    "manylinux_2_31",
    "manylinux_2_28",
    "manylinux_2_17",
)


def platforms(architecture: str) -> list[str]:
    """pip's names of what runs on an engine of this architecture (`x86_64`, `aarch64`), the newest first."""
    return [f"{each}_{architecture}" for each in (*_GLIBC, "manylinux2014")]


def fetch(
    requirements: Path, architecture: str, cache: Path, *, stop: Flag, on_line: Callable[[str], None]
) -> Path:
    """The folder of all wheels that a requirements file asks for; from the cache where it has them.

    Raises BuildError, or Stopped once `stop` is set.
    """
    digest = hashlib.sha256(f"{PYTHON} {architecture}\n".encode() + requirements.read_bytes()).hexdigest()[
        :16
    ]
    home = cache / "wheels" / digest
    if home.is_dir():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{digest}-", dir=home.parent) as half:
        made = Path(half) / "wheels"
        run(
            [
                *DOWNLOAD,
                # Hashes make pip ask for a complete list anyway; and a list may leave out on purpose what is never used.
                *(
                    "--no-deps",
                    "--only-binary",
                    ":all:",
                    "--implementation",
                    "cp",
                    "--python-version",
                    PYTHON,
                ),
                *(word for each in platforms(architecture) for word in ("--platform", each)),
                *("--dest", str(made), "--requirement", str(requirements)),
            ],
            what="downloading Python wheels",
            limit=LIMIT_SECONDS,
            stop=stop,
            on_line=on_line,
        )
        # Apart from the others, so that a requirements file with hashes need not know of it.
        run(
            [
                *DOWNLOAD,
                *("--only-binary", ":all:", "--no-deps", "--dest", str(made), INSTALLER),
            ],
            what="downloading pip",
            limit=LIMIT_SECONDS,
            stop=stop,
            on_line=on_line,
        )
        move_into_cache(made, home)
    return home


def move_into_cache(made: Path, home: Path) -> None:
    """Move a finished folder to its place in the cache; another process may have been quicker."""
    try:
        made.rename(home)
    except OSError:
        if not home.is_dir():
            shutil.copytree(made, home, dirs_exist_ok=True)
