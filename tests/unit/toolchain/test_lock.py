"""One setup at a time."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.lock import hold_lock

HOLD = """
import sys
from pathlib import Path
from toolchain.lock import hold_lock
with hold_lock(Path(sys.argv[1]), 5, print):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_setup_at_a_time(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    words = [sys.executable, "-c", HOLD, str(lock)]
    messages: list[str] = []
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(ToolchainError, match=f"waited 0 s for the setup of process {holder.pid}"),
            hold_lock(lock, 0.3, messages.append),
        ):
            pass
        # A holder that is killed holds no more.
        holder.kill()
        begun = time.monotonic()
        with hold_lock(lock, 20, messages.append):
            assert time.monotonic() - begun < 15
    assert messages[0] == f"another setup is running (process {holder.pid}); waiting for it, at most 0 s"
