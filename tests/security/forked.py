"""`python -m tests.security.forked`: runs `./portal` many times, each in a fork with streams of its own.

A case a line on standard input, as JSON: `words`, `out` and `err` (a file's path, or one of KINDS). An answer a line: the
exit code. The imports, which take longest, are done once.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import docker
import requests

import automation.cli
import automation.runs.automation_api
import components.portal
from automation import __main__ as command

LIMIT_SECONDS = 60
KINDS = ("closed", "full", "gone")


def stream(number: int, kind: str) -> None:
    """Make a standard stream what a shell would have made it, in the numbers and in Python."""
    name = ("stdin", "stdout", "stderr")[number]
    if kind == "closed":
        os.close(number)
        setattr(sys, name, None)
        return
    if kind == "gone":
        # Nobody reads a pipe.
        reader, opened = os.pipe()
        os.close(reader)
    else:
        opened = os.open(
            "/dev/full" if kind == "full" else kind, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600
        )
    os.dup2(opened, number)
    os.close(opened)
    setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115


def main() -> None:
    """Answer until there are no more cases."""
    # What the verbs load when they are asked, loaded once.
    assert all(
        (automation.cli.app, automation.runs.automation_api.Runs, components.portal.Portal, docker, requests)
    )
    for line in sys.stdin:
        case = json.loads(line)
        child = os.fork()
        if not child:
            signal.alarm(LIMIT_SECONDS)
            sys.argv = ["portal", *case["words"]]
            stream(2, case["err"])
            stream(1, case["out"])
            # Through the interpreter's own end, which writes what is still held and says so when it cannot.
            sys.exit(command.main())
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with suppress(BrokenPipeError):
            print(code, flush=True)


if __name__ == "__main__":
    Path("/dev/full").stat()
    main()
