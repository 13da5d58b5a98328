"""Runs inside an openedx image, by its own Python, and says as one line of JSON what the image is like.

It stands alone: for Python 3.5, no network, a root that cannot be written to. What others print goes to standard error, so
that standard output has this line alone. Nobody takes its word for more than words (contract.py).
"""

import importlib
import json
import os
import shutil
import subprocess
import sys

ROOT = "/openedx/edx-platform"
PROGRAMS = (
    "python",
    "uwsgi",
    "celery",
    "bash",
    "sh",
    "sed",
    "head",
    "stat",
    "date",
    "ldconfig",
    "ln",
    "mkdir",
    "chown",
)
READ = ("manage.py", "lms/envs/production.py", "cms/envs/production.py", "openedx/core/djangoapps/heartbeat")
LOADED = ("django", "celery", "yaml", "lms.envs.common", "cms.envs.common")
# The last line of an error is what names it.
LONGEST = 300


def main() -> None:
    """Print what is found."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path[:0] = [ROOT]
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    probe = {
        "python": list(sys.version_info[:3]),
        "libc": libc(),
        "programs": {each: bool(shutil.which(each, path=path)) for each in PROGRAMS},
        "sockets": sockets(),
        "readable": {each: os.access(ROOT + "/" + each, os.R_OK) for each in READ},
        "loaded": {each: loaded(each) for each in LOADED},
    }
    out.write(json.dumps(probe) + "\n")
    out.flush()
    # Whatever was imported may have threads that do not end.
    os._exit(0)


def libc() -> str:
    """The C library that programs stand on: `glibc 2.31`; empty where it is another."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        return ""


def sockets() -> bool:
    """Whether bash opens sockets by itself, as the health probe does: nobody listens there, so it is refused."""
    try:
        words = ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9"]
        return b"refused" in subprocess.run(words, stderr=subprocess.PIPE, timeout=10).stderr.lower()
    except (OSError, subprocess.SubprocessError):
        return False


def loaded(name: str) -> str:
    """Why a module cannot be imported; empty where it can."""
    try:
        importlib.import_module(name)
    except BaseException as error:  # noqa: BLE001
        return f"{type(error).__name__}: {error}"[:LONGEST]
    return ""


if __name__ == "__main__":
    main()
