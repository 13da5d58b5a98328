"""The Pulumi CLI as a child process of the Automation API: cancelled with its parent, never killed half-way."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pulumi.automation as auto
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from automation.cancellation import at_once_event, cancel_on_signals
from automation.errors import PortalError
from automation.locked_cli import EXIT_LOCK_HELD
from automation.locks.stack_lock import Hold

LOOK_SECONDS = 0.1
# A CLI that was told to cancel ends the steps that it has begun. A plugin may be waiting for a container that was told to
# stop, and has a day for it: it is not waited for longer than this. The engine goes on with it by itself.
CANCEL_SECONDS = 30.0
# The second SIGINT ends a CLI with its plugins; one that does not hear even that is killed.
END_SECONDS = 3.0
# Asking the CLI takes 0.3 s a run; any that is newer than 3.205 speaks the same, and `./portal setup` sees to that.
ASSUMED_VERSION = VersionInfo(3, 256, 0)


class Command(auto.PulumiCommand):
    """The CLI as a child that is told to cancel when its parent is: never left behind, never killed half-way."""

    def __init__(
        self,
        cancel: threading.Event,
        say: Callable[[str], None] = lambda text: None,
        hold: Hold | None = None,
    ) -> None:
        """`hold`: of a command that changes the stack, whose lock the CLI then runs under."""
        self.command, self.version, self.cancel = "pulumi", ASSUMED_VERSION, cancel
        self.say, self.hold = say, hold

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> auto.CommandResult:
        """Run the CLI to its end.

        Raises CommandError when it fails, PortalError when there is none, Overtaken where another one has its lock.
        """
        words = [
            *die_with_parent(),
            *(self.hold.cli_prefix if self.hold else ()),
            self.command,
            "--non-interactive",
            *args,
        ]
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
        if self.hold:
            self.hold.note_cli(process.pid)
        with forward_cancel(
            process, self.cancel, self.say, self.hold.note_pulumi_locks if self.hold else lambda: None
        ):
            out, err = process.communicate()
        if self.hold and process.returncode == EXIT_LOCK_HELD:
            raise self.hold.overtaken_error()
        result = auto.CommandResult(stdout=out, stderr=err, code=process.returncode)
        if process.returncode:
            raise create_command_error(result)
        return result


def die_with_parent() -> list[str]:
    """Words before the CLI's that have the kernel send it SIGINT when this process dies, where there are such."""
    # Not a preexec_fn: gRPC's threads run, and a fork with Python code in it may hang.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT", "--"] if setpriv else []


@contextmanager
def forward_cancel(
    process: "subprocess.Popen[str]",
    cancel: threading.Event,
    say: Callable[[str], None],
    look: Callable[[], None],
) -> Iterator[None]:
    """While the CLI runs, SIGINT, SIGTERM and SIGHUP (and `cancel`) make it end what it has begun, and no more.

    A second one, or CANCEL_SECONDS, and it is ended where it stands; the next command goes on from there. `look` is called
    every LOOK_SECONDS until it is cancelled.
    """
    now = at_once_event(cancel)

    def watch() -> None:
        while process.poll() is None:
            look()
            if cancel.wait(LOOK_SECONDS):
                say(
                    f"cancelling: ending what has begun, in at most {CANCEL_SECONDS:.0f} s; "
                    "press Ctrl-C once more to end at once"
                )
                process.send_signal(signal.SIGINT)
                if not wait_for_end(process, CANCEL_SECONDS, now):
                    terminate(process, say)
                return

    watcher = threading.Thread(target=watch, daemon=True)
    with cancel_on_signals(cancel, now):
        watcher.start()
        try:
            yield
        finally:
            watcher.join()


def terminate(process: "subprocess.Popen[str]", say: Callable[[str], None]) -> None:
    """End a CLI that was told to cancel and is no longer waited for."""
    say("ending at once; the next command recovers what was under way")
    process.send_signal(signal.SIGINT)
    if not wait_for_end(process, END_SECONDS):
        process.kill()


def wait_for_end(process: "subprocess.Popen[str]", limit: float, now: threading.Event | None = None) -> bool:
    """Wait for a process to end, up to `limit` seconds or until `now` is set; whether it has."""
    stop = now or threading.Event()
    until = time.monotonic() + limit
    while process.poll() is None:
        if time.monotonic() > until or stop.wait(LOOK_SECONDS):
            return process.poll() is not None
    return True
