"""A PostgreSQL server of Debian's package as a backend of Pulumi's state, if this machine has it."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testbed.waiting import until

USER = "postgres"


def binary(name: str) -> Path:
    """A program of the package; the test is skipped without it."""
    candidates = [
        *map(Path, filter(None, [shutil.which(name)])),
        *Path("/usr/lib/postgresql").glob(f"*/bin/{name}"),
    ]
    if not candidates:
        pytest.skip(f"no {name} on this machine; on Debian, as root: apt-get install postgresql")
    return candidates[0].resolve()


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The URL of an empty database, for as long as the block runs."""
    initdb, postgres = binary("initdb"), binary("postgres")
    folder.mkdir(parents=True)
    # It refuses to run as root.
    user = USER if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    data, log = folder / "data", folder / "log"
    made = [str(initdb), "--pgdata", str(data), "--username", USER, "--auth", "trust", "--no-sync"]
    subprocess.run(made, user=user, cwd=folder, check=True, capture_output=True, timeout=120)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    where = ["-D", str(data), "-p", str(port), "-k", str(folder)]
    words = [str(postgres), *where, "-c", "listen_addresses=127.0.0.1"]
    with log.open("wb") as output:
        process = subprocess.Popen(words, user=user, cwd=folder, stdout=output, stderr=output)
    try:
        until(f"PostgreSQL to be ready (its log: {log})", lambda: b"ready to accept" in log.read_bytes())
        yield f"postgres://{USER}@127.0.0.1:{port}/postgres?sslmode=disable"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
