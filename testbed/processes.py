"""The processes of this machine, from /proc."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Process:
    """One process: its number, its parent's, its command line."""

    pid: int
    parent: int
    words: tuple[str, ...]


def processes() -> Iterator[Process]:
    """Every process that can be read and does not end meanwhile. A zombie has no words."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # `pid (name) state parent …`: the name may hold blanks and brackets.
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        words = tuple(word.decode(errors="replace") for word in line.split(b"\0") if word)
        yield Process(pid=int(folder.name), parent=parent, words=words)


def cli_started_by(pid: int, verb: str) -> Process | None:
    """The `pulumi <verb>` that a process or one of its children has started; None if there is none."""
    by_pid = {each.pid: each for each in processes()}
    for each in by_pid.values():
        if each.words and Path(each.words[0]).name == "pulumi" and verb in each.words:
            above = each
            while above.parent in by_pid:
                above = by_pid[above.parent]
                if above.pid == pid:
                    return each
    return None


def with_environment(mark: str) -> list[str]:
    """`pid: command line` of every process that carries `mark` in its environment."""
    mark_bytes = mark.encode()
    matching = []
    for each in processes():
        try:
            if mark_bytes in Path(f"/proc/{each.pid}/environ").read_bytes().split(b"\0"):
                matching.append(f"{each.pid}: {' '.join(each.words)}")
        except OSError:
            continue
    return matching
