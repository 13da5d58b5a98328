"""Jars for an image, by the ordinary Maven: this machine's own where it has one, else one in a container."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Event as Flag

from docker import APIClient

from automation.images import maven
from automation.images.command import run
from automation.images.wheels import move_into_cache

LIMIT_SECONDS = 900


def fetch(
    project: Path,
    client: APIClient,
    base: str,
    cache: Path,
    *,
    stop: Flag,
    on_line: Callable[[str], None],
) -> Path:
    """The folder of the jars that a Maven project file depends on; from the cache where it has them.

    `base` is the image to run Maven in, where this machine has none. Raises BuildError or Stopped.
    """
    home = cache_path(project, cache)
    if home.is_dir():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".jars-", dir=home.parent) as half:
        made = Path(half) / "jars"
        made.mkdir()
        if shutil.which("mvn"):
            # A copy, because Maven writes beside the project file.
            copied = Path(half) / "pom.xml"
            shutil.copyfile(project, copied)
            run(
                ["mvn", *maven.GOAL, "--file", str(copied), f"-DoutputDirectory={made}"],
                what="downloading jars",
                limit=LIMIT_SECONDS,
                stop=stop,
                on_line=on_line,
            )
        else:
            maven.copy_dependencies(
                project, made, client, base, limit=LIMIT_SECONDS, stop=stop, on_line=on_line
            )
        move_into_cache(made, home)
    return home


def cache_path(project: Path, cache: Path) -> Path:
    """Where the jars of a project file are kept."""
    return cache / "jars" / hashlib.sha256(project.read_bytes()).hexdigest()[:16]
