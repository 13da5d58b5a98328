"""Running other programs: each with a time limit, a log, and an error that says what was waited for."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.errors import ToolchainError


def tail(log: Path, lines: int = 6) -> str:
    """The last lines of a log that say anything, indented."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            said = [
                line.rstrip() for line in file.read().decode(errors="replace").splitlines() if line.strip()
            ]
    except OSError:
        return ""
    return "\n".join(f"    {line[:300]}" for line in said[-lines:])


@dataclass
class Runner:
    """Starts programs, keeps their output in `logs`, and ends them all when told to."""

    logs: Path
    env: Mapping[str, str]
    _running: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped: bool = False

    def run(
        self,
        words: Sequence[str | Path],
        *,
        what: str,
        log: str,
        limit: float,
        way_out: str = "",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        watch: Callable[[Path], None] | None = None,
        spared: bool = False,
    ) -> None:
        """Run a program to its end. Raises ToolchainError when it fails, is not there or needs over `limit` seconds.

        spared: it is left alone by `stop`, because half of its work is worse than all of it.
        """
        path = self.logs / f"{log}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as out:
            out.write(f"$ {' '.join(str(word) for word in words)}\n".encode())
            out.flush()
            child = self._start(words, what, out.fileno(), env, cwd, spared)
            try:
                code = self._wait(child, f"{what}: {words[0]}", path, limit, way_out, watch)
            finally:
                with self._lock:
                    self._running.discard(child.pid)
        if self._stopped:
            raise ToolchainError(f"{what}: stopped")
        if code != 0:
            raise ToolchainError(_told(f"{what}: {words[0]} ended with code {code}", path, way_out))

    def ask(
        self,
        words: Sequence[str | Path],
        limit: float = 20,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> str:
        """What a program prints; empty when it is not there, fails or hangs."""
        try:
            return subprocess.run(
                [str(word) for word in words],
                env={**self.env, **(env or {})},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=limit,
                check=True,
                text=True,
            ).stdout
        except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
            return ""

    def stop(self) -> None:
        """End every program that runs; what they were making stays unfinished and is made again next time."""
        with self._lock:
            self._stopped = True
            running = set(self._running)
        for process in running:
            _signal_group(process, signal.SIGTERM)

    def _start(
        self,
        words: Sequence[str | Path],
        what: str,
        out: int,
        env: Mapping[str, str] | None,
        cwd: Path | None,
        spared: bool,
    ) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._stopped:
                raise ToolchainError(f"{what}: stopped")
            try:
                child = subprocess.Popen(
                    [str(word) for word in words],
                    env={**self.env, **(env or {})},
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    # A group of its own, to end it with its children.
                    start_new_session=True,
                )
            except OSError as error:
                raise ToolchainError(f"{what}: cannot run {words[0]}: {error.strerror}") from None
            if not spared:
                self._running.add(child.pid)
            return child

    def _wait(
        self,
        child: "subprocess.Popen[bytes]",
        what: str,
        log: Path,
        limit: float,
        way_out: str,
        watch: Callable[[Path], None] | None,
    ) -> int:
        end = time.monotonic() + limit
        while True:
            try:
                return child.wait(timeout=0.5)
            except subprocess.TimeoutExpired:
                if watch is not None:
                    watch(log)
            if time.monotonic() >= end:
                _signal_group(child.pid, signal.SIGTERM)
                try:
                    child.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    _signal_group(child.pid, signal.SIGKILL)
                    child.wait()
                raise ToolchainError(_told(f"{what}: gave up waiting after {limit:.0f} s", log, way_out))


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)


def _told(what: str, log: Path, way_out: str) -> str:
    told = [what, tail(log), f"  whole log: {log}", f"  {way_out}" if way_out else ""]
    return "\n".join(line for line in told if line)
