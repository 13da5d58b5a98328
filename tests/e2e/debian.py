"""Finds programs of Debian's packages for tests, and installs those that are missing."""

import os
import shutil
import subprocess
from collections.abc import Sequence

INSTALL_LIMIT_SECONDS = 900


class NoProgram(Exception):
    """The program is missing and cannot be installed. The text has the reason and the remedy."""


def path(package: str, names: Sequence[str]) -> str:
    """The path of the first of a package's commands, installed first where this is root on Debian and there is none.

    Raises NoProgram.
    """
    commands = find_command(names)
    if commands:
        return commands
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NoProgram(f"there is no {names[0]} on this machine; as root: apt-get install {package}")
    for words in (["update"], ["install", "--yes", "--no-install-recommends", package]):
        completed = subprocess.run(
            ["apt-get", "--quiet", *words],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            check=False,
            capture_output=True,
            text=True,
            timeout=INSTALL_LIMIT_SECONDS,
        )
        if completed.returncode:
            raise NoProgram(f"apt-get {words[0]} failed:\n{completed.stderr.strip()}")
    commands = find_command(names)
    if not commands:
        raise NoProgram(f"the package {package} is installed and there is still no command {names[0]}")
    return commands


def find_command(names: Sequence[str]) -> str | None:
    """The first of the commands that is on the path."""
    return next(filter(None, map(shutil.which, names)), None)
