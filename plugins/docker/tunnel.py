"""The way to an engine on another machine: its socket brought here by the ssh client that this machine's people use.

docker-py's own ssh needs paramiko, which knows neither `~/.ssh/config` whole nor how strict people are about host keys. OpenSSH's
client does, and asks nobody anything here (BatchMode). Only the standard library is used, and nothing of this repository.
"""

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

SCHEME = "ssh://"
ENGINE = "/var/run/docker.sock"
# No greeting of anybody's.
READY = b"portals-way-is-there"
LIMIT_SECONDS = 20.0
END_SECONDS = 5.0
OPTIONS = {
    # No password is asked for, and no host key taken unseen unless the user's own settings say so.
    "BatchMode": "yes",
    "ConnectTimeout": "10",
    "ExitOnForwardFailure": "yes",
    # A machine that is gone is noticed within a minute.
    "ServerAliveInterval": "15",
    "ServerAliveCountMax": "4",
    # One connection of its own: what is forwarded by a shared one outlives this process.
    "ControlMaster": "no",
    "ControlPath": "none",
    # Whoever can open the socket is root there.
    "StreamLocalBindMask": "0177",
}


class NoWay(OSError):
    """ssh did not get there; the text is its own."""


class Tunnel:
    """A socket of this machine that leads to the engine of another, until it is closed or this process has ended."""

    def __init__(self, host: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="portals-ssh-", dir=_short()))
        self.socket = self.folder / "docker.sock"
        self._process: subprocess.Popen[bytes] | None = None
        try:
            # The shell is there to sweep up, even behind a process that was killed.
            words = ["sh", "-c", '"$@"; rm -rf -- "$0"', str(self.folder), *command(host, self.socket)]
            with (self.folder / "said").open("w+b") as log:
                self._process = subprocess.Popen(
                    words,
                    # The far end waits for the end of this pipe, which comes with the end of this process, however it ends.
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    # Ctrl-C is for the command, which closes this in its own time.
                    process_group=0,
                )
                self._wait(host, log)
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        """Where the engine is to be asked."""
        return f"unix://{self.socket}"

    def close(self) -> None:
        """End the way."""
        if process := self._process:
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                # The other machine does not answer any more.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self, host: str, errors: IO[bytes]) -> None:
        assert self._process is not None
        out = self._process.stdout
        assert out is not None
        # A shell's own greeting may come before it.
        output, end = b"", time.monotonic() + LIMIT_SECONDS
        with selectors.DefaultSelector() as more:
            more.register(out, selectors.EVENT_READ)
            while READY not in output.splitlines() and more.select(max(end - time.monotonic(), 0)):
                part = os.read(out.fileno(), 4096)
                output = (output + part)[-65536:]
                if not part:
                    break
        if READY not in output.splitlines():
            # The words are read before the shell sweeps them up: it has ended, or is about to.
            errors.seek(0)
            why = errors.read(4096).decode(errors="replace").strip().splitlines()
            raise NoWay(f"ssh to {host}: {why[-1] if why else f'no answer within {LIMIT_SECONDS:.0f} s'}")


def command(host: str, socket: Path) -> list[str]:
    """The ssh client's words for `ssh://[user@]host[:port]`.

    Raises NoWay for an address that has no host name, or whose name or user ssh would take for an option.
    """
    url = urlsplit(host)
    name = url.hostname or ""
    if not name or name.startswith("-") or (url.username or "").startswith("-"):
        raise NoWay(f"{host} has no host name, expected ssh://user@host")
    options = [word for key, value in OPTIONS.items() for word in ("-o", f"{key}={value}")]
    port = ["-p", str(url.port)] if url.port else []
    whom = f"{url.username}@{name}" if url.username else name
    return [
        "ssh",
        "-T",
        *options,
        *port,
        "-L",
        f"{socket}:{ENGINE}",
        "--",
        whom,
        f"echo {READY.decode()} && exec cat",
    ]


def _short() -> str | None:
    """Where a socket's path is short enough: 108 bytes, with ssh's own ending."""
    return None if len(tempfile.gettempdir()) < 60 else "/tmp"  # noqa: S108
