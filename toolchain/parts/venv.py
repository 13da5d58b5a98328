"""Virtual environments: the program's own, and the one that Go comes in."""

import os
from dataclasses import dataclass
from pathlib import Path

from toolchain import files
from toolchain.parts.python import base_python
from toolchain.process import Runner

MAKE_LIMIT = 180
PIP_LIMIT = 1200


@dataclass(frozen=True)
class Venv:
    """An environment under a steady name: a link to a directory of its own for each time it is made.

    pip may still run for a setup that was killed; it then writes into a directory that nobody looks at.
    """

    path: Path
    requirements: Path

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    def make(self, runner: Runner, log: str) -> None:
        """Make it and install its hash-pinned requirements. Raises ToolchainError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._remove_leftovers()
        # Its scripts name the directory, so it cannot be renamed: the link to it makes it whole or absent.
        made = self.path.with_name(f"{self.path.name}.{os.urandom(4).hex()}")
        runner.run(
            [base_python(), "-m", "venv", made],
            what=f"{log}: creating a virtual environment",
            log=log,
            limit=MAKE_LIMIT,
            remedy="Python's ensurepip has to be there; on Debian, as root: apt-get install python3-venv",
        )
        runner.run(
            # What pip's own configuration says of indexes, certificates and proxies holds here.
            [
                made / "bin" / "python",
                "-m",
                "pip",
                "install",
                "--require-hashes",
                "--no-input",
                "-r",
                self.requirements,
            ],
            what=f"{log}: installing {self.requirements.name}",
            log=log,
            limit=PIP_LIMIT,
            remedy="pip takes its index from the machine's configuration: python3 -m pip config list",
            env={"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_PROGRESS_BAR": "off"},
        )
        files.link(self.path, Path(made.name))
        self._remove_leftovers()

    def _remove_leftovers(self) -> None:
        """Remove environments that were replaced, or never finished; only one setup runs at a time."""
        for folder in self.path.parent.glob(f"{self.path.name}.*"):
            if folder != self.path.resolve():
                files.remove(folder)
