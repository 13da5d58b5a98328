"""The CLI that was told to cancel: waited for, asked twice, killed at last."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from automation.cancellation import Cancel
from automation.runs import cli_process

# A CLI that hears SIGINT as often as it is told to, then ends.
DEAF = """
import signal, sys, time
left = [int(sys.argv[1])]
def heard(*_):
    left[0] -= 1
    print("heard", flush=True)
    if not left[0]:
        sys.exit(3)
signal.signal(signal.SIGINT, heard)
print("begun", flush=True)
while True:
    time.sleep(60)
"""


def cli(times: int) -> "subprocess.Popen[str]":
    made = subprocess.Popen([sys.executable, "-c", DEAF, str(times)], stdout=subprocess.PIPE, text=True)
    assert made.stdout
    assert made.stdout.readline() == "begun\n"
    return made


def cancelled(process: "subprocess.Popen[str]", cancel: threading.Event, say: Callable[[str], None]) -> int:
    with process, cli_process.forward_cancel(process, cancel, say, lambda: None):
        return process.wait(timeout=30)


def test_a_cli_that_ends_what_it_has_begun_is_waited_for() -> None:
    messages: list[str] = []
    cancel = Cancel()
    cancel.set()
    assert cancelled(cli(1), cancel, messages.append) == 3
    assert messages == [
        "cancelling: ending what has begun, in at most 30 s; press Ctrl-C once more to end at once"
    ]


def test_asked_twice_it_ends_at_once() -> None:
    messages: list[str] = []
    cancel = Cancel()
    process = cli(2)
    cancel.set()
    threading.Timer(0.5, cancel.request).start()
    assert cancelled(process, cancel, messages.append) == 3
    assert messages[1].startswith("ending at once")


@pytest.mark.parametrize("event", [Cancel, threading.Event])
def test_one_that_ends_never_is_killed(event: type[threading.Event], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without being asked again: a script's own event is set once."""
    monkeypatch.setattr(cli_process, "CANCEL_SECONDS", 0.5)
    monkeypatch.setattr(cli_process, "END_SECONDS", 0.5)
    cancel = event()
    cancel.set()
    began = time.monotonic()
    assert cancelled(cli(100), cancel, lambda text: None) == -signal.SIGKILL
    assert time.monotonic() - began < 10


def test_it_looks_while_it_waits() -> None:
    looks = []
    process = cli(1)
    cancel = Cancel()
    with process, cli_process.forward_cancel(process, cancel, lambda text: None, lambda: looks.append(1)):
        while len(looks) < 2:
            time.sleep(0.01)
        cancel.set()
        process.wait(timeout=30)
    assert looks
