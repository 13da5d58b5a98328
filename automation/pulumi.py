"""Pulumi's own command, run for one stack of this project."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from automation.errors import PortalError

PROJECT = "portals"
ROOT = Path(__file__).resolve().parent.parent
# Reading a stack's facts asks no engine and no container.
READ_LIMIT_SECONDS = 120
# https://github.com/pulumi/pulumi/blob/v3.256.0/sdk/go/common/apitype/core.go (CheckpointV3)
CHECKPOINT_VERSION = 3


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A tenant's stack, and the environment that `./portal env` sets for the CLI."""

    name: str
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def ensure(self) -> bool:
        """Make the stack if there is none, and say whether it was made. Raises PortalError with Pulumi's own reason."""
        if self.checkpoint is not None and self.checkpoint.exists():
            return False
        made = self._run("stack", "init", "--no-select", self.name)
        if "incorrect passphrase" in made.stderr:
            raise PortalError(
                f"tenants/Pulumi.{self.name}.yaml was written with another passphrase than this shell's "
                "(PULUMI_CONFIG_PASSPHRASE_FILE): use that one, or, for a portal that was never up, remove the file"
            )
        if made.returncode and "already exists" not in made.stderr:
            raise PortalError(f"stack {self.name}: {one_line(made.stderr).removeprefix('error: ')}")
        return not made.returncode

    @contextmanager
    def lent(self) -> Iterator[bool]:
        """The stack, made for the block alone where there is none; says whether it was there. Raises PortalError."""
        settings = ROOT / "tenants" / f"Pulumi.{self.name}.yaml"
        kept = settings.exists()
        made = self.ensure()
        try:
            yield not made
        finally:
            if made:
                # Without --force: one that somebody has brought up meanwhile stays.
                self._run("stack", "rm", "--yes", "--preserve-config", self.name)
                if not kept:
                    settings.unlink(missing_ok=True)

    def exists(self) -> bool:
        """Whether the backend has it. Raises PortalError with Pulumi's own reason."""
        return self.name in stacks(self.environ)

    def remove(self) -> None:
        """Remove it with its state, history, backups and settings, whatever it still has. Raises PortalError."""
        told = self._run("stack", "rm", "--yes", "--force", "--remove-backups", "--stack", self.name)
        if told.returncode:
            raise PortalError(f"pulumi stack rm of {self.name}: {reason(told)}")
        # What the CLI leaves in a file backend: empty folders, and of a stack that was used earlier states.
        for kind in ("backups", "history", "locks/organization"):
            if self.files:
                shutil.rmtree(self.files / kind / PROJECT / self.name, ignore_errors=True)

    def read(self, *words: str) -> Any:
        """A command that prints JSON, as data. Raises PortalError."""
        told = self._run(*words, "--stack", self.name)
        if told.returncode:
            raise PortalError(f"pulumi {' '.join(words)} of {self.name}: {reason(told)}")
        return json.loads(told.stdout)

    def listed(self) -> list[dict[str, Any]]:
        """Every stack of the project, as `pulumi stack ls` tells. Raises PortalError."""
        told = self._run("stack", "ls", "--json")
        if told.returncode:
            raise PortalError(f"pulumi stack ls: {reason(told)}")
        found: list[dict[str, Any]] = json.loads(told.stdout)
        return found

    def outputs(self, *, secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs; secrets as `[secret]` unless asked for."""
        shown: dict[str, Any] = self.read(
            "stack", "output", "--json", *(["--show-secrets"] if secrets else [])
        )
        return shown

    def state(self) -> dict[str, Any]:
        """The stack's state, secrets encrypted. Raises PortalError."""
        read = self._checkpoint()
        exported: dict[str, Any] = self.read("stack", "export") if read is None else read
        return exported

    def _checkpoint(self) -> dict[str, Any] | None:
        """What `stack export` prints, from a file backend's file: a start of the CLI less. None where that is not sure."""
        try:
            told = json.loads(self.checkpoint.read_bytes()) if self.checkpoint else {}
        except (OSError, ValueError):
            # Not there, or written by a CLI that was told to compress: the CLI knows, or says why not.
            return None
        if told.get("version") != CHECKPOINT_VERSION or "latest" not in told.get("checkpoint", {}):
            return None
        return {"version": CHECKPOINT_VERSION, "deployment": told["checkpoint"]["latest"]}

    def replace_state(self, state: Mapping[str, Any]) -> None:
        """Put a mended state back. Raises PortalError."""
        told = subprocess.run(
            ["pulumi", "stack", "import", "--stack", self.name],
            cwd=ROOT,
            env=dict(self.environ),
            input=json.dumps(state),
            capture_output=True,
            text=True,
            timeout=READ_LIMIT_SECONDS,
            check=False,
        )
        if told.returncode:
            raise PortalError(f"pulumi stack import of {self.name}: {reason(told)}")

    @property
    def files(self) -> Path | None:
        """The folder of a file backend's own records, None with any other backend."""
        url = urlsplit(self.environ.get("PULUMI_BACKEND_URL", ""))
        # The CLI takes `file://~/x` for a folder at home.
        folder = Path(unquote(url.netloc + url.path)).expanduser() / ".pulumi"
        return folder if url.scheme == "file" else None

    @property
    def checkpoint(self) -> Path | None:
        """The file in which a file backend keeps this stack, None with any other backend."""
        return self.files / "stacks" / PROJECT / f"{self.name}.json" if self.files else None

    @property
    def locks(self) -> Path | None:
        """The folder of this stack's locks in a file backend, None with any other backend."""
        return self.files / "locks" / "organization" / PROJECT / self.name if self.files else None

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ["pulumi", *words, "--non-interactive"],
                cwd=ROOT,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=READ_LIMIT_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise PortalError("the Pulumi CLI is not on PATH; run `./portal setup`") from None
        except subprocess.TimeoutExpired:
            raise PortalError(
                f"waited {READ_LIMIT_SECONDS} s for `pulumi {' '.join(words)}`; is the state's backend reachable?"
            ) from None


def stacks(environ: Mapping[str, str] | None = None) -> list[str]:
    """The names of this project's stacks in the backend, sorted. Raises PortalError."""
    told: list[dict[str, Any]] = Stack(name="", environ=environ or dict(os.environ)).listed()
    return sorted(each["name"].rpartition("/")[2] for each in told)


def one_line(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "(it said nothing)"


def reason(told: subprocess.CompletedProcess[str]) -> str:
    """Why a command failed: what it said on standard error, else on standard output."""
    return (told.stderr.strip() or told.stdout.strip() or "(it said nothing)").removeprefix("error: ")
