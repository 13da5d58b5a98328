"""What people see of a setup, on a terminal and in a log."""

import io

from toolchain.setup.progress import Progress, table
from toolchain.setup.stamps import PartResult
from toolchain.table import UNFOLDED

ENGINE = PartResult(part="engine", source="debian", version="API 1.41", seconds=22.0)
PULUMI = PartResult(part="pulumi", source="packages", version="3.256.0", seconds=301.25)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_log_has_a_line_for_a_start_an_end_and_now_and_then() -> None:
    out, clock = io.StringIO(), Clock()
    progress = Progress(out, clock)
    progress.started("pulumi")
    progress.doing("pulumi", "building")
    for clock.now in range(1, 65):
        progress.doing("pulumi", f"{clock.now} packages compiled")
        progress.tick()
    progress.ended(PULUMI)
    progress.say("a word")
    assert out.getvalue().splitlines() == [
        "setup: pulumi: building",
        "setup: pulumi: 30 packages compiled (30 s)",
        "setup: pulumi: 60 packages compiled (60 s)",
        "setup: pulumi: 3.256.0 from packages (64.0 s)",
        "setup: a word",
    ]


def test_a_log_has_no_colours_and_a_terminal_has() -> None:
    for out, colours in ((io.StringIO(), False), (Terminal(), True)):
        progress = Progress(out, Clock())
        progress.started("engine")
        progress.doing("engine", "starting dockerd")
        progress.tick()
        progress.ended(ENGINE)
        progress.started("venv")
        progress.failed("venv")
        assert ("\x1b" in out.getvalue()) is colours


def test_on_a_terminal_the_lines_stay_in_place() -> None:
    out, clock = Terminal(), Clock()
    progress = Progress(out, clock)
    progress.started("engine")
    progress.started("venv")
    clock.now = 3
    progress.doing("venv", "x" * 200)
    progress.ended(ENGINE)
    shown = screen(out.getvalue())
    assert shown == [
        "✓ engine           3.0 s  API 1.41 from Debian's packages",
        "⠋ venv             3.0 s  " + "x" * 50,
    ]
    progress.say("a word")
    assert screen(out.getvalue()) == ["setup: a word", *shown]


def screen(written: str) -> list[str]:
    """What is to be read after up-and-clear sequences, without colours."""
    lines: list[str] = []
    for piece in written.split("\n"):
        while "\x1b[" in piece:
            before, _, rest = piece.partition("\x1b[")
            end = next(index for index, letter in enumerate(rest) if letter.isalpha())
            if rest[end] == "F":
                del lines[-int(rest[:end]) :]
            piece = before + rest[end + 1 :]
        lines.append(piece)
    return [line for line in lines if line]


def test_the_table() -> None:
    assert table([ENGINE, PULUMI]).text(UNFOLDED, on_terminal=False).splitlines() == [
        "part    version   source                  seconds",
        "engine  API 1.41  from Debian's packages     22.0",
        "pulumi  3.256.0   from packages             301.2",
    ]
