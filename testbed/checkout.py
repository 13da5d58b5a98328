"""A copy of the checkout with its own tenants and state. Commands that run in it touch no portal of the operator."""

import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import yaml

from testbed.command_result import CommandResult
from testbed.objects import Objects
from testbed.waiting import until

HERE = Path(__file__).resolve().parents[1]
# On the real disk: /tmp may be a tmpfs, and data stores want a disk.
BASE = Path("/var/tmp")
LOCK_LIMIT_SECONDS = 300.0
# A cold `up` on two busy cores needs a minute; this is for one that hangs.
LIMIT_SECONDS = 420.0
# In the name of a log whose command was asked for secrets.
SHOWN = "secrets"
# What a shell may have set for the operator's own portals, or for Python: without byte code every command compiles the program anew.
FOREIGN = ("PULUMI_", "PORTAL_", "COMPOSE_", "PYTHON")


@dataclass(frozen=True, kw_only=True)
class Running:
    """A command that runs in its own process group. Its output goes to two files."""

    words: str
    process: subprocess.Popen[bytes]
    out: Path
    err: Path
    since: float

    def wait(self, limit: float) -> CommandResult:
        """Wait until it ends. After `limit` seconds kills the whole process group and raises AssertionError."""
        try:
            code = self.process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise AssertionError(f"waited {limit:.0f} s for the end of\n{self.result(-9)}") from None
        return self.result(code)

    def result(self, code: int) -> CommandResult:
        """The exit code, with the output so far."""
        return CommandResult(
            words=self.words,
            code=code,
            out=self.out.read_text(errors="replace"),
            err=self.err.read_text(errors="replace"),
            seconds=time.monotonic() - self.since,
        )


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """`base` holds the copy, its state and the log of every command. `drive` is where its portals keep data."""

    base: Path
    drive: Path

    @classmethod
    def make(cls, base: Path) -> "Checkout":
        """Copy what git would commit, without the operator's tenants."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "-co", "--exclude-standard"],
            cwd=HERE,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        made = cls(base=base, drive=base / "drive")
        for name in filter(None, listed.stdout.split("\0")):
            if name.startswith("tenants/") or not (HERE / name).is_file():
                continue
            target = made.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(HERE / name, target)
        for folder in (made.folder / "tenants", made.data, made.logs, made.drive):
            folder.mkdir(parents=True)
        return made

    @property
    def folder(self) -> Path:
        """The repo's root in the copy."""
        return self.base / "checkout"

    @property
    def data(self) -> Path:
        """XDG_DATA_HOME: state, passphrase, Pulumi's own files."""
        return self.base / "data"

    @property
    def logs(self) -> Path:
        """The output of every command."""
        return self.base / "logs"

    @property
    def backend(self) -> Path:
        """The records of the file backend: stacks, history, locks."""
        return self.data / "portals" / "state" / ".pulumi"

    def environ(self, **more: str) -> dict[str, str]:
        """The shell's environment without the variables that name the operator's portals."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
        return {**kept, "XDG_DATA_HOME": str(self.data), **more}

    def write(self, tenant: Mapping[str, Any], name: str) -> None:
        """Write `tenants/<name>.yaml`."""
        (self.folder / "tenants" / f"{name}.yaml").write_text(yaml.safe_dump(dict(tenant), sort_keys=False))

    def start(self, *words: str, **environ: str) -> Running:
        """Start a command in the repo's root."""
        number = len(list(self.logs.iterdir())) // 2
        kind = SHOWN if "--show-secrets" in " ".join(words) else "said"
        stem = f"{number:03}-{kind}"
        out, err = self.logs / f"{stem}.out", self.logs / f"{stem}.err"
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = subprocess.Popen(
                words,
                cwd=self.folder,
                env=self.environ(**environ),
                stdin=subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
                start_new_session=True,
            )
        return Running(words=shlex.join(words), process=process, out=out, err=err, since=time.monotonic())

    def run(self, *words: str, limit: float = LIMIT_SECONDS, **environ: str) -> CommandResult:
        """Run a command to its end, whatever its exit code."""
        return self.start(*words, **environ).wait(limit)

    def portal(self, *words: str, limit: float = LIMIT_SECONDS, **environ: str) -> CommandResult:
        """Run `./portal`, as an operator does."""
        return self.run("./portal", *words, limit=limit, **environ)

    def shell(self, script: str, limit: float = LIMIT_SECONDS, **environ: str) -> CommandResult:
        """Run a line in a shell that `./portal env` has set: the plain Pulumi CLI."""
        return self.run("bash", "-ec", f'eval "$(./portal env)"; {script}', limit=limit, **environ)


@contextmanager
def temporary_checkout(kind: str, tenants: Iterable[str], objects: Objects) -> Iterator[Checkout]:
    """A copy of the checkout in a temporary folder, with an initialised drive. It and its portals are removed at the end.

    A machine runs one of each kind at a time: its `tenants` have fixed names, ports and subnets.
    """
    names = list(tenants)
    with (BASE / f"portals-{kind}.lock").open("w") as lock:
        until(
            "another run of these tests on this machine to end",
            lambda: try_lock(lock),
            limit=LOCK_LIMIT_SECONDS,
        )
        base = Path(tempfile.mkdtemp(prefix=f"portals-{kind}-", dir=BASE))
        # Containers of other users look into the drive below it.
        base.chmod(0o755)
        try:
            # Remove what a killed run left.
            for name in names:
                objects.remove(name)
            made = Checkout.make(base)
            marked = made.portal("drive", "init", str(made.drive))
            assert marked.code == 0, str(marked)
            yield made
        finally:
            if os.environ.get("PORTAL_KEEP"):
                print(f"\nkept, because PORTAL_KEEP is set: {base} and its portals")
            else:
                for name in names:
                    objects.remove(name)
                objects.run_on_drive(base, "rm -rf /drive/drive")
                shutil.rmtree(base)


def try_lock(lock: IO[str]) -> bool:
    """Take the lock if it is free; returns whether it is now ours."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
