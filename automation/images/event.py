"""What a build tells while it goes on, and how it fails."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where one role's image is on its way."""

    PRESENT = "present"
    """The engine has it already."""
    FETCHING = "fetching"
    """Wheels, jars or the root file system are being downloaded."""
    BUILDING = "building"
    BUILT = "built"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Event:
    """One step of one role; `seconds` since the work on it began, `line` the last thing its tools said.

    An event with a `line` comes for each line of a build, so there are many; one without comes for each new state.
    """

    role: str
    state: State
    seconds: float = 0.0
    line: str = ""

    def __str__(self) -> str:
        took = f" {self.seconds:.0f} s" if self.seconds >= 0.5 else ""
        return f"{self.role}: {self.state}{took}{': ' if self.line else ''}{self.line}"


Progress = Callable[[Event], None]


def silent(_: Event) -> None:
    """The progress display of those who want none."""


class BuildError(Exception):
    """An image could not be built; the text says which, why, and ends with the last lines of its tools."""

    def __init__(self, reason: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__("\n".join([reason, *(f"  {line}" for line in lines)]))
        self.reason = reason
        self.lines = lines


class Stopped(Exception):
    """Another image failed, or the user had enough: this work is given up half-way."""
