"""Pulumi's own command, run for one stack of this project."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from automation.errors import Locked, Overtaken, PortalError
from automation.locked_cli import EXIT_LOCK_HELD
from config.tenant.tenant import settings_refusal
from toolchain import files

PROJECT = "portals"
ROOT = Path(__file__).resolve().parent.parent
# Reading a stack's facts asks no engine and no container.
READ_LIMIT_SECONDS = 120
# https://github.com/pulumi/pulumi/blob/v3.256.0/sdk/go/common/apitype/core.go (CheckpointV3)
CHECKPOINT_VERSION = 3


class Holder(Protocol):
    """The hold that a command has of a stack, as far as its CLI is concerned."""

    @property
    def cli_prefix(self) -> Sequence[str]:
        """What comes before the CLI's own words."""

    def note_cli(self, pid: int) -> None:
        """The CLI has been started, as that process."""

    def overtaken_error(self) -> Overtaken:
        """What is raised where another command's CLI has the lock."""

    def forget(self) -> None:
        """The stack is gone."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A tenant's stack, and the environment that `./portal env` sets for the CLI."""

    name: str
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    # Where Pulumi.yaml and the settings in tenants/ are.
    folder: Path = ROOT
    # Of a command that changes the stack: the CLI runs under its lock (automation/locks/stack_lock.py).
    hold: Holder | None = field(default=None, repr=False, compare=False)

    def ensure(self) -> bool:
        """Make the stack if there is none, and say whether it was made. Raises PortalError with Pulumi's own reason."""
        if self.files is not None and self.name in stack_names(self.files):
            return False
        made = self._run("stack", "init", "--no-select", self.name)
        if "incorrect passphrase" in made.stderr:
            raise PortalError(
                f"tenants/Pulumi.{self.name}.yaml was written with another passphrase than this "
                "shell's (PULUMI_CONFIG_PASSPHRASE_FILE): use that passphrase; for a portal that was "
                "never up, remove the file"
            )
        if made.returncode and "already exists" not in made.stderr:
            raise PortalError(f"stack {self.name}: {last_line(made.stderr).removeprefix('error: ')}")
        return not made.returncode

    def exists(self) -> bool:
        """Whether the backend has it. Raises PortalError with Pulumi's own reason."""
        return self.name in stacks(self.environ)

    def remove(self) -> None:
        """Remove it with its state, history, backups and settings, whatever it still has. Raises PortalError."""
        ended = self._run("stack", "rm", "--yes", "--force", "--remove-backups", "--stack", self.name)
        if ended.returncode:
            raise PortalError(f"pulumi stack rm of {self.name}: {failure_text(ended)}")
        # What the CLI leaves in a file backend: empty folders, and of a stack that was used earlier states.
        for kind in ("backups", "history", "locks/organization"):
            if self.files:
                shutil.rmtree(self.files / kind / PROJECT / self.name, ignore_errors=True)
        if self.hold:
            self.hold.forget()

    def read(self, *words: str) -> Any:
        """A command that prints JSON, as data. Raises PortalError."""
        ended = self._run(*words, "--stack", self.name)
        if ended.returncode:
            raise PortalError(f"pulumi {' '.join(words)} of {self.name}: {failure_text(ended)}")
        return json.loads(ended.stdout)

    def list_all(self) -> list[dict[str, Any]]:
        """Every stack of the project, as `pulumi stack ls` tells. Raises PortalError."""
        ended = self._run("stack", "ls", "--json")
        if ended.returncode:
            raise PortalError(f"pulumi stack ls: {failure_text(ended)}")
        listed: list[dict[str, Any]] = json.loads(ended.stdout)
        return listed

    def outputs(self, *, secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs; secrets as `[secret]` unless asked for."""
        shown: dict[str, Any] = self.read(
            "stack", "output", "--json", *(["--show-secrets"] if secrets else [])
        )
        return shown

    def state(self) -> dict[str, Any]:
        """The stack's state, secrets encrypted. Raises PortalError, also where there is no such stack."""
        if self.files is not None and self.name not in stack_names(self.files):
            # The CLI would begin a backend where there is none, to say the same.
            raise PortalError(f"there is no stack {self.name} in {self.files}")
        read = self._checkpoint()
        exported: dict[str, Any] = self.read("stack", "export") if read is None else read
        return exported

    def tags(self) -> dict[str, str]:
        """What the backend keeps of the stack beside its state, also after a destroy. Raises PortalError."""
        if self.files:
            # As `stack tag ls` does, a start of the CLI less.
            path = self.files / "stacks" / PROJECT / f"{self.name}.pulumi-tags"
            try:
                content = json.loads(path.read_bytes())
                return dict(content["tags"])
            except FileNotFoundError:
                return {}
            except (OSError, ValueError, KeyError):
                # Written by another CLI: it knows, or says why not.
                pass
        tags_read: dict[str, str] = self.read("stack", "tag", "ls", "--json")
        return tags_read

    def tag(self, name: str, value: str) -> None:
        """Have the backend keep something of the stack. Raises PortalError."""
        ended = self._run("stack", "tag", "set", name, value, "--stack", self.name)
        if ended.returncode:
            raise PortalError(f"pulumi stack tag set {name} of {self.name}: {failure_text(ended)}")

    def _checkpoint(self) -> dict[str, Any] | None:
        """What `stack export` prints, from a file backend's file: a start of the CLI less. None where that is not sure."""
        try:
            checkpoint = json.loads(self.checkpoint.read_bytes()) if self.checkpoint else {}
        except (OSError, ValueError):
            # Not there, or written by a CLI that was told to compress: the CLI knows, or says why not.
            return None
        if checkpoint.get("version") != CHECKPOINT_VERSION or "latest" not in checkpoint.get(
            "checkpoint", {}
        ):
            return None
        return {"version": CHECKPOINT_VERSION, "deployment": checkpoint["checkpoint"]["latest"]}

    def replace_state(self, state: Mapping[str, Any]) -> None:
        """Put a mended state back. Raises Locked while somebody changes the stack, PortalError."""
        ended = self._run("stack", "import", "--stack", self.name, stdin=json.dumps(state))
        if "currently locked" in ended.stderr:
            raise Locked(f"portal {self.name} is being changed: {failure_text(ended)}")
        if ended.returncode:
            raise PortalError(f"pulumi stack import of {self.name}: {failure_text(ended)}")

    def rewrite(self, expected: Mapping[str, Any], state: Mapping[str, Any], beside: Path) -> bool:
        """Put a mended state into a file backend's file, where it still is the `expected` one.

        For one who holds Pulumi's lock, with which the CLI imports nothing; `beside` is a folder of the same file system.
        False where the file is not written as known: nothing was done then. Raises Overtaken.
        """
        if self.checkpoint is None or (now := self._checkpoint()) is None:
            return False
        if now != expected:
            raise Overtaken(f"the state of portal {self.name} was changed during its recovery")
        whole = json.loads(self.checkpoint.read_bytes())
        whole["checkpoint"]["latest"] = state["deployment"]
        # Not in the backend's folder: whatever a kill leaves there would be the CLI's to read.
        made = beside / self.checkpoint.name
        files.write(made, json.dumps(whole, indent=4), mode=self.checkpoint.stat().st_mode & 0o777)
        files.move_into_place(made, self.checkpoint)
        return True

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

    def _run(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """The CLI's answer, `stdin` on its standard input. Raises PortalError when it takes too long."""
        if self.name:
            refuse_settings(self.name)
        before = self.hold.cli_prefix if self.hold else ()
        try:
            process = subprocess.Popen(
                [*before, "pulumi", *words, "--non-interactive"],
                cwd=self.folder,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        except FileNotFoundError:
            raise PortalError("the Pulumi CLI is not on PATH; run `./portal setup`") from None
        if self.hold:
            self.hold.note_cli(process.pid)
        with process:
            try:
                out, err = process.communicate(stdin, timeout=READ_LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise PortalError(
                    f"waited {READ_LIMIT_SECONDS} s for `pulumi {' '.join(words)}`; check that the state's backend can be reached"
                ) from None
            except BaseException:
                process.kill()
                raise
        if self.hold and process.returncode == EXIT_LOCK_HELD:
            raise self.hold.overtaken_error()
        return subprocess.CompletedProcess(words, process.returncode, out, err)


def refuse_settings(name: str) -> None:
    """Raises PortalError where a symbolic link leads a stack's settings out of the checkout: the CLI would read and write there."""
    if reason := settings_refusal(name, ROOT / "tenants"):
        raise PortalError(reason)


def stack_names(folder: Path) -> list[str]:
    """The names of this project's stacks in a file backend, by its folder, sorted: asking the CLI would write there."""
    file_names = (each.name.removesuffix(".gz") for each in (folder / "stacks" / PROJECT).glob("*.json*"))
    return sorted({each.removesuffix(".json") for each in file_names if each.endswith(".json")})


def stacks(environ: Mapping[str, str] | None = None) -> list[str]:
    """The names of this project's stacks in the backend, sorted. Raises PortalError."""
    any_stack = Stack(name="", environ=environ or dict(os.environ))
    if any_stack.files is not None:
        return stack_names(any_stack.files)
    return sorted(each["name"].rpartition("/")[2] for each in any_stack.list_all())


def last_line(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "(it said nothing)"


def failure_text(ended: subprocess.CompletedProcess[str]) -> str:
    """Why a command failed: what it said on standard error, else on standard output."""
    return (ended.stderr.strip() or ended.stdout.strip() or "(it said nothing)").removeprefix("error: ")
