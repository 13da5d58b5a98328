"""The Python that environments are made with."""

import os
import sys
from pathlib import Path

from toolchain import files


def base_python() -> str:
    """The Python that environments are made with: this one, or the one that this one's environment was made with."""
    return str(getattr(sys, "_base_executable", "") or sys.executable)


def environment_key(requirements: Path) -> str:
    """Changes with the requirements and with the Python that runs, and not with the environment it runs in."""
    return files.key([requirements.read_bytes(), sys.version, sys.base_prefix, os.uname().machine])
