"""What a setup is doing, on stderr: a line a part; on a terminal the lines stay in place and count seconds."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from toolchain import terminal
from toolchain.setup.stamps import PartResult
from toolchain.table import Table, number, prose

SOURCES = {
    "there": "was installed already",
    "started": "was installed, started now",
    "official": "downloaded from Pulumi",
    "packages": "from packages",
    "debian": "from Debian's packages",
    "made": "made here",
    "none": "left out",
}
HEARTBEAT = 30.0  # seconds between signs of life of a long part where there is no terminal
SPIN = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


@dataclass
class _Line:
    part: str
    begun: float
    saying: str = "…"
    shown_at: float = float("-inf")
    ended: float | None = None
    failed: bool = False


@dataclass
class Progress:
    stream: TextIO
    clock: Callable[[], float] = time.monotonic
    _lines: dict[str, _Line] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _drawn: int = 0
    _turn: int = 0

    @property
    def terminal(self) -> bool:
        return self.stream.isatty()

    def say(self, text: str) -> None:
        """A line that belongs to no part."""
        with self._lock:
            self._erase()
            self._put(f"setup: {terminal.lines(text)}\n")
            self._draw()

    def started(self, part: str) -> None:
        with self._lock:
            self._lines[part] = _Line(part, self.clock())
            if self.terminal:
                self._redraw()

    def doing(self, part: str, saying: str) -> None:
        with self._lock:
            line = self._lines[part]
            # Of a tool's log, most of the time.
            line.saying = saying = terminal.line(saying)
            now = self.clock()
            if not self.terminal and now - line.shown_at >= HEARTBEAT:
                line.shown_at = now
                took = f" ({now - line.begun:.0f} s)" if now > line.begun + 1 else ""
                self._write(f"setup: {part}: {saying}{took}")

    def ended(self, result: PartResult) -> None:
        self._end(
            result.part,
            " ".join([result.version, SOURCES.get(result.source, result.source)]).strip(),
            failed=False,
        )

    def failed(self, part: str) -> None:
        self._end(part, "failed", failed=True)

    def tick(self) -> None:
        """Called a few times a second while parts run."""
        with self._lock:
            if self.terminal:
                self._turn += 1
                self._redraw()
                return
            for line in self._lines.values():
                if line.ended is None:
                    self.doing(line.part, line.saying)

    def _end(self, part: str, saying: str, *, failed: bool) -> None:
        with self._lock:
            line = self._lines[part]
            line.ended, line.saying, line.failed = self.clock(), terminal.line(saying), failed
            if self.terminal:
                self._redraw()
            else:
                self._write(f"setup: {part}: {line.saying} ({line.ended - line.begun:.1f} s)")

    def _write(self, text: str) -> None:
        self._put(f"{text}\n")

    def _put(self, text: str) -> None:
        """Progress that nobody can take is dropped: the work goes on."""
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(text)
            self.stream.flush()

    def _redraw(self) -> None:
        self._erase()
        self._draw()

    def _erase(self) -> None:
        if self._drawn:
            self._put(f"\x1b[{self._drawn}F\x1b[J")
            self._drawn = 0

    def _draw(self) -> None:
        if self.terminal:
            self._put("".join(self._pretty(line) + "\n" for line in self._lines.values()))
            self._drawn = len(self._lines)

    def _pretty(self, line: _Line) -> str:
        seconds = (self.clock() if line.ended is None else line.ended) - line.begun
        if line.ended is None:
            sign, colour = SPIN[self._turn % len(SPIN)], "36"
        else:
            sign, colour = ("✗", "31") if line.failed else ("✓", "32")
        # Cut, not wrapped: a wrapped line would not be erased whole.
        return f"\x1b[{colour}m{sign}\x1b[0m {line.part:<14}{seconds:6.1f} s  {line.saying[:50]}"


def table(results: list[PartResult]) -> Table:
    """What was installed from where, a row a part."""
    made = Table("part", "version", prose("source"), number("seconds"))
    for each in results:
        made.add_row(each.part, each.version, SOURCES.get(each.source, each.source), each.seconds)
    return made
