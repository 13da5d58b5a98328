"""Debian's packages. One apt at a time: dpkg has one lock."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.process import Runner

INSTALL_LIMIT = 900
UPDATE_LIMIT = 300
OPTIONS = (
    "-q",
    "-o",
    "DPkg::Lock::Timeout=300",
    "-o",
    "Acquire::Retries=3",
    "-o",
    "Acquire::http::Timeout=60",
)


def command(packages: Sequence[str]) -> str:
    """What a person types to get packages; for errors."""
    return f"apt-get update && apt-get install --no-install-recommends {' '.join(packages)}"


@dataclass
class Apt:
    runner: Runner
    systemd: bool
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _updated: bool = False

    def install(self, packages: Sequence[str], what: str) -> None:
        """Install packages as root. Raises ToolchainError."""
        env = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        if not self.systemd:
            # Installing dockerd starts it through invoke-rc.d; in run level 1 it does not, and we start it ourselves.
            env["RUNLEVEL"] = "1"
        with self._lock:
            # A dpkg that was killed leaves this; apt refuses to work until it is mended.
            if any(Path("/var/lib/dpkg/updates").glob("[0-9]*")):
                self._run(["dpkg", "--configure", "-a"], f"{what}: repairing dpkg", env, INSTALL_LIMIT)
            if not self._updated:
                self._run(["apt-get", *OPTIONS, "update"], f"{what}: package lists", env, UPDATE_LIMIT)
                self._updated = True
            self._run(
                ["apt-get", *OPTIONS, "--yes", "--no-install-recommends", "install", *packages],
                f"{what}: Debian packages {' '.join(packages)}",
                env,
                INSTALL_LIMIT,
                remedy=f"By hand, as root: {command(packages)}",
            )

    def _run(
        self, words: Sequence[str], what: str, env: Mapping[str, str], limit: float, remedy: str = ""
    ) -> None:
        # Spared: a dpkg that was ended half-way leaves work for a person.
        self.runner.run(words, what=what, log="apt", limit=limit, env=env, remedy=remedy, spared=True)
