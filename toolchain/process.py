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

from toolchain import files
from toolchain.errors import ToolchainError

# How long a program that was asked to end may take for it.
END_LIMIT = 5.0


def tail(log: Path, lines: int = 6) -> str:
    """The last lines of a log that say anything, indented."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            tail_lines = [
                line.rstrip() for line in file.read().decode(errors="replace").splitlines() if line.strip()
            ]
    except OSError:
        return ""
    return "\n".join(f"    {line[:300]}" for line in tail_lines[-lines:])


@dataclass
class Runner:
    """Starts programs, keeps their output in `logs`, and ends them all when told to.

    What they put aside lies in `scratch`, made and removed by whoever makes the runner: pip and Go leave theirs when a signal
    ends them. None: where the environment says.
    """

    logs: Path
    env: Mapping[str, str]
    scratch: Path | None = None
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
        remedy: str = "",
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
            out.write(f"$ {' '.join(str(word) for word in words)}\n".encode(errors="surrogateescape"))
            out.flush()
            child = self._start(words, what, out.fileno(), env, cwd, spared)
            try:
                code = self._wait(child, f"{what}: {words[0]}", path, limit, remedy, watch)
            finally:
                with self._lock:
                    self._running.discard(child.pid)
        if self._stopped:
            raise ToolchainError(f"{what}: stopped")
        if code != 0:
            raise ToolchainError(_failure_text(f"{what}: {words[0]} ended with code {code}", path, remedy))

    def ask(
        self,
        words: Sequence[str | Path],
        limit: float = 20,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> str:
        """What a program prints; empty when it is not there, fails or hangs. `answer` says why."""
        return self.answer(words, limit, env, cwd)[0]

    def answer(
        self,
        words: Sequence[str | Path],
        limit: float = 20,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> tuple[str, str]:
        """What a program prints, or nothing and why: its own last words, or what it was waited for."""
        try:
            ended = subprocess.run(
                [str(word) for word in words],
                env={**self.env, **(env or {})},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=limit,
                check=False,
            )
        except OSError as error:
            return "", f"{words[0]} cannot be run: {error.strerror}"
        except subprocess.TimeoutExpired:
            return "", f"{words[0]} did not end within {limit:.0f} s"
        if ended.returncode:
            stderr = ended.stderr.decode(errors="replace").strip()[-600:]
            return "", f"{words[0]} ended with code {ended.returncode}: {stderr or 'it said nothing'}"
        try:
            return ended.stdout.decode(), ""
        except UnicodeDecodeError:
            return "", f"{words[0]} answers with something other than text"

    def stop(self) -> None:
        """End every program that runs; what they were making stays unfinished and is made again next time.

        Returns once they have ended.
        """
        with self._lock:
            self._stopped = True
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self._lock:
                running = set(self._running)
            for process in running:
                _signal_group(process, number)
            end = time.monotonic() + END_LIMIT
            # Whoever waits for them in another thread takes them off the list.
            while self._running and time.monotonic() < end:
                time.sleep(0.02)
            if not self._running:
                return

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
                    env={**self.env, **self._aside(spared), **(env or {})},
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

    def _aside(self, spared: bool) -> Mapping[str, str]:
        """Where a program puts aside what it needs for a while. A spared one is apt, which asks as another user."""
        if spared or self.scratch is None:
            return {}
        self.scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        return {"TMPDIR": str(self.scratch)}

    def clean(self) -> None:
        """Remove what the programs have put aside. Call it when none runs any more."""
        if self.scratch is not None:
            # What is still in the way goes with the next run's leftovers.
            with contextlib.suppress(OSError):
                files.remove(self.scratch)

    def _wait(
        self,
        child: "subprocess.Popen[bytes]",
        what: str,
        log: Path,
        limit: float,
        remedy: str,
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
                raise ToolchainError(_failure_text(f"{what}: gave up after {limit:.0f} s", log, remedy))


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)


def _failure_text(what: str, log: Path, remedy: str) -> str:
    lines = [what, tail(log), f"  whole log: {log}", f"  {remedy}" if remedy else ""]
    return "\n".join(line for line in lines if line)
