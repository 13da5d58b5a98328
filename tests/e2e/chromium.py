"""Debian's Chromium: where it is, how it is started, and how it gets onto a machine."""

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome")
WORDS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
INSTALL_LIMIT_SECONDS = 900


class NoChromium(Exception):
    """There is none and it cannot be installed; the text says why and what to do."""


def path() -> str:
    """The path of a Chromium, installed first where this is root on Debian and there is none. Raises NoChromium."""
    found = there()
    if found:
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NoChromium("there is no Chromium on this machine; as root: apt-get install chromium")
    for words in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        told = subprocess.run(
            ["apt-get", "--quiet", *words],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            check=False,
            capture_output=True,
            text=True,
            timeout=INSTALL_LIMIT_SECONDS,
        )
        if told.returncode:
            raise NoChromium(f"apt-get {words[0]} failed:\n{told.stderr.strip()}")
    found = there()
    if not found:
        raise NoChromium("the package chromium is installed and there is still no command chromium")
    return found


def there() -> str | None:
    """The first of its names that is on the path."""
    return next(filter(None, map(shutil.which, NAMES)), None)
