"""The Pulumi CLI as a child process of the Automation API: cancelled with its parent, never killed half-way."""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pulumi.automation as auto
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from automation.errors import PortalError

LOOK_SECONDS = 0.1
# Asking the CLI takes 0.3 s a run; any that is newer than 3.205 speaks the same, and `./portal setup` sees to that.
SPEAKS = VersionInfo(3, 256, 0)


class Command(auto.PulumiCommand):
    """The CLI as a child that is told to cancel when its parent is: never left behind, never killed half-way."""

    def __init__(self, cancel: threading.Event) -> None:
        self.command, self.version, self.cancel = "pulumi", SPEAKS, cancel

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> auto.CommandResult:
        """Run the CLI to its end. Raises CommandError when it fails, PortalError when there is none."""
        words = [*with_parent(), self.command, "--non-interactive", *args]
        env = {**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"}
        try:
            process = subprocess.Popen(
                words,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                # Ctrl-C reaches this process alone, which hands it on once: a second one would end the CLI at once.
                process_group=0,
            )
        except FileNotFoundError:
            raise PortalError("the Pulumi CLI is not on PATH; run `./portal setup`") from None
        with told_to_cancel(process, self.cancel):
            out, err = process.communicate()
        result = auto.CommandResult(stdout=out, stderr=err, code=process.returncode)
        if process.returncode:
            raise create_command_error(result)
        return result


def with_parent() -> list[str]:
    """Words before the CLI's that have the kernel send it SIGINT when this process dies, where there are such."""
    # Not a preexec_fn: gRPC's threads run, and a fork with Python code in it may hang.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT", "--"] if setpriv else []


@contextmanager
def told_to_cancel(process: "subprocess.Popen[str]", cancel: threading.Event) -> Iterator[None]:
    """While the CLI runs, SIGINT and SIGTERM (and `cancel`) make it finish what it has begun, and no more."""

    def watch() -> None:
        while process.poll() is None:
            if cancel.wait(LOOK_SECONDS):
                process.send_signal(signal.SIGINT)
                return

    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, lambda *_: cancel.set())
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        watcher.join()
        for number, handler in before.items():
            signal.signal(number, handler)
