"""How every command of ours tells, and ends: facts on standard output, all else on standard error, one exit code.

Facts that cannot be written are a failure, with a line that says so. Progress that nobody can take is none: the work goes on.
"""

import contextlib
import errno
import io
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, TextIO

from toolchain import terminal

FAILED = 1
INTERRUPTED = 130
# What a shell says of a program that SIGPIPE has ended.
NOBODY_READS = 128 + 13
# Set to anything, it has a fault of ours shown with its traceback.
TRACEBACK = "PORTAL_TRACEBACK"

_LINE = threading.Lock()


class OutputLost(Exception):
    """Standard output cannot be written."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output cannot be written: {error.strerror}")
        self.nobody_reads = error.errno == errno.EPIPE


class Output(io.TextIOWrapper):
    """Standard output: a letter that its encoding lacks is written out, and what cannot be written is OutputLost."""

    def write(self, text: str, /) -> int:
        """As any text file. Raises OutputLost."""
        try:
            return super().write(text)
        except OSError as error:
            raise OutputLost(error) from None

    def flush(self) -> None:
        """As any text file. Raises OutputLost."""
        try:
            super().flush()
        except OSError as error:
            raise OutputLost(error) from None


class Progress(io.TextIOWrapper):
    """Standard error: what nobody can take is dropped, and so is all that follows."""

    def write(self, text: str, /) -> int:
        """As any text file."""
        try:
            return super().write(text)
        except OSError:
            _drop(2)
            return len(text)

    def flush(self) -> None:
        """As any text file."""
        try:
            super().flush()
        except OSError:
            _drop(2)


def prepare_streams() -> None:
    """Make the standard streams fit for use, whatever the caller has closed or set.

    A number that is closed would be taken by the next file that is opened, and what is printed would go into that.
    """
    # Reading from where only writing is allowed fails, and the other way round, as it does with a closed stream.
    for number, flags in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            _open(number, flags)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115 (it stays open)
    if not isinstance(sys.stdout, Output):
        sys.stdout = Output(_bytes(1), _encoding(sys.stdout), "backslashreplace", line_buffering=os.isatty(1))
    if not isinstance(sys.stderr, Progress):
        sys.stderr = Progress(_bytes(2), _encoding(sys.stderr), "backslashreplace", line_buffering=True)


def _bytes(number: int) -> BinaryIO:
    return open(number, "wb", closefd=False)  # (it stays open)


def _encoding(stream: TextIO | None) -> str:
    """What the operator has set for it; Python has none for a stream that is closed."""
    return stream.encoding if stream else "utf-8"


def _open(number: int, flags: int) -> None:
    """Have a standard stream's number be the null device. Whoever reads or writes otherwise than `flags` allow fails."""
    opened = os.open(os.devnull, flags)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)


def say(text: str) -> None:
    """Lines of progress or a reason on standard error, whole even when several runs tell at once. Never fails."""
    with _LINE, contextlib.suppress(OSError, ValueError):
        print(terminal.lines(text), file=sys.stderr, flush=True)


def say_laid_out(text: str) -> None:
    """Text on standard error in which others' has been written out already. Never fails."""
    with _LINE, contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, end="", flush=True)


def tell(text: str, *, flush: bool = False) -> None:
    """Lines for people on standard output. Raises OutputLost."""
    print(terminal.lines(text), flush=flush)


def write(text: str) -> None:
    """Text on standard output in which others' has been written out already. Raises OutputLost."""
    print(text, end="")


def tell_json(facts: Any, *, indent: int | None = 2, flush: bool = False) -> None:
    """Facts as one JSON object on standard output, in ASCII. Raises OutputLost."""
    # Imported here: a look at what stands is to take no time.
    import json

    # A job's log may be read for commands; a JSON text has this mark in strings alone, where it may be written so.
    print(json.dumps(facts, indent=indent, sort_keys=True).replace("##", "#\\u0023"), flush=flush)


def write_for_program(text: str) -> None:
    """Text for a program (a shell, a forge), byte by byte what it is, in UTF-8. Raises OutputLost."""
    sys.stdout.flush()
    try:
        # Names of files may be any bytes.
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.buffer.flush()
    except OSError as error:
        raise OutputLost(error) from None


def exit_code_of(command: Callable[[], int]) -> int:
    """The exit code of a command. Whatever happens in it is one text and one code, never a traceback."""
    try:
        code = _code(command)
        sys.stdout.flush()
    except OutputLost as error:
        _drop(1)
        if error.nobody_reads:
            return NOBODY_READS
        say(f"error: {error}")
        return FAILED
    except KeyboardInterrupt:
        say("interrupted; the command is safe to re-run")
        return INTERRUPTED
    except OSError as error:
        _traced(error)
        where = f"{error.filename}: " if error.filename else ""
        say(f"error: {where}{error.strerror or error}")
        return FAILED
    except Exception as error:  # noqa: BLE001 (nobody is shown a traceback who has not asked for one)
        _traced(error)
        say(f"error: a bug in this program: {describe_fault(error)}; {TRACEBACK}=1 shows the traceback")
        return FAILED
    return code


def describe_fault(error: BaseException) -> str:
    """An error that nobody has foreseen, in one line: what it is, and where in the program."""
    import traceback

    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({last.filename}:{last.lineno})"


def _code(command: Callable[[], int]) -> int:
    try:
        return command()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        say(str(end.code))
        return FAILED


def _traced(error: BaseException) -> None:
    if os.environ.get(TRACEBACK):
        import traceback

        say("".join(traceback.format_exception(error)))


def _drop(number: int) -> None:
    """Have what a stream still holds go nowhere, or Python tries to write it once more when it ends."""
    _open(number, os.O_WRONLY)
