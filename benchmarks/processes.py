"""Runs a tool and measures its process tree: time, memory, CPU, and when each process started and ended."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

# Two looks at a tree of ten processes cost 1 ms of CPU; a shorter peak than this is not seen.
PERIOD_SECONDS = 0.05
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1024 * 1024


class RunFailed(Exception):
    """A measured command ended with an exit code other than 0, or not in time."""


@dataclass
class Process:
    """One process of the tree: seconds after the start when it was first and last seen, its CPU time and largest RSS."""

    words: str
    first: float
    last: float
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a command cost. `started` is the wall clock; the rest seconds and MiB.

    `peak_mib` sums resident sets, `once_mib` is the same moment with each shared page counted once (PSS).
    """

    started: float
    seconds: float
    cpu_seconds: float
    peak_mib: float
    once_mib: float
    at_peak: Mapping[str, float]
    processes: Sequence[Process]


@dataclass
class Tree:
    """The processes below one, found by their parents in /proc."""

    root: int
    begin: float
    by_pid: dict[int, Process] = field(default_factory=dict)
    peak_mib: float = 0.0
    once_mib: float = 0.0
    at_peak: dict[str, float] = field(default_factory=dict)
    _parents: dict[int, int] = field(default_factory=dict)

    def sample(self) -> None:
        """Take one sample."""
        now = time.monotonic() - self.begin
        sizes: dict[str, float] = {}
        for pid in members(self.root, self._update()):
            used = usage(pid)
            if used is None:
                continue
            words, (size, cpu_seconds) = command(pid), used
            process = self.by_pid.setdefault(pid, Process(words=words, first=now, last=now))
            # A child is a copy of its parent until it has turned into its own program.
            process.words = words or process.words
            process.last, process.cpu_seconds = now, cpu_seconds
            process.peak_mib = max(process.peak_mib, size)
            sizes[f"{process.words} [{pid}]"] = size
        if sum(sizes.values()) > self.peak_mib:
            self.peak_mib, self.at_peak = sum(sizes.values()), sizes
            # Looked up at peaks alone: the kernel walks every page for it.
            self.once_mib = sum(shared_memory(pid) for pid in members(self.root, self._parents))

    def _update(self) -> Mapping[int, int]:
        # A path object for each process of the machine would cost more than the rest of a look.
        running = {int(name) for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208
        for pid in self._parents.keys() - running:
            del self._parents[pid]
        for pid in running - self._parents.keys():
            parent = parent_of(pid)
            if parent is not None:
                self._parents[pid] = parent
        return self._parents


def members(root: int, parents: Mapping[int, int]) -> list[int]:
    """The processes of a tree, its root included."""
    below: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        below.setdefault(parent, []).append(pid)
    pids = [root]
    for pid in pids:
        pids.extend(below.get(pid, ()))
    return pids


def parent_of(pid: int) -> int | None:
    """A process's parent; None when it is gone."""
    fields = stat(pid)
    return int(fields[1]) if fields else None


def usage(pid: int) -> tuple[float, float] | None:
    """A process's resident set in MiB, shared pages included, and its CPU seconds; None when it is gone."""
    fields = stat(pid)
    return (int(fields[21]) * PAGE / MIB, (int(fields[11]) + int(fields[12])) / TICKS) if fields else None


def shared_memory(pid: int) -> float:
    """A process's proportional set size in MiB: each shared page is divided by the number of its users. 0 when it is gone."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024


def stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on; empty when the process is gone."""
    try:
        # The name before them, in brackets, may hold spaces.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def command(pid: int) -> str:
    """A short name of what a process runs."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    return short([word for word in words if word])


def short(words: Sequence[str]) -> str:
    """`/x/bin/python3 -u /y/pulumi-language-python-exec --a` is `python3 pulumi-language-python-exec`."""
    if not words:
        return ""
    program = words[0].rpartition("/")[2]
    if program.startswith(("python", "bash", "sh")):
        rest = [word for word in words[1:] if not word.startswith("-") or word in ("-m", "-c")]
        named = [word.rpartition("/")[2] for word in rest[:2] if word not in ("-m", "-c")]
        return " ".join([program, *named[:1]])
    return " ".join([program, *[word for word in words[1:2] if word.isalpha()]])


@contextmanager
def sampling(tree: Tree) -> Iterator[None]:
    """Sample a tree every PERIOD_SECONDS until the block ends."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(PERIOD_SECONDS):
            tree.sample()

    thread = threading.Thread(target=look, name="sampler", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def run(
    words: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    limit: float,
) -> Run:
    """Run a command to its end, its output in `log`. Raises RunFailed when it fails or needs over `limit` seconds."""
    with log.open("ab") as out:
        out.write(f"$ {' '.join(str(word) for word in words)}\n".encode())
        out.flush()
        started, begin = time.time(), time.monotonic()
        child = subprocess.Popen(
            [str(word) for word in words],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        tree = Tree(root=child.pid, begin=begin)
        timer = threading.Timer(limit, child.terminate)
        timer.start()
        try:
            with sampling(tree):
                # Unlike Popen.wait this tells the CPU time of the child and of all that it waited for.
                _, status, spent = os.wait4(child.pid, 0)
                seconds = time.monotonic() - begin
        except BaseException:
            child.terminate()
            child.wait(timeout=60)
            raise
        finally:
            timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        late = " (it was ended at its limit)" if seconds >= limit else ""
        last_lines = log.read_text(errors="replace").splitlines()[-15:]
        raise RunFailed(
            f"{' '.join(map(str, words))}: exit code {child.returncode}{late}\n" + "\n".join(last_lines)
        )
    return Run(
        started=started,
        seconds=seconds,
        cpu_seconds=spent.ru_utime + spent.ru_stime,
        peak_mib=tree.peak_mib,
        once_mib=tree.once_mib,
        at_peak=tree.at_peak,
        processes=sorted(tree.by_pid.values(), key=lambda process: process.first),
    )


def cpu_use() -> float:
    """The machine's CPU use over the next second, 0 to 1."""
    before, total = _ticks()
    time.sleep(1)
    after, end = _ticks()
    return (after - before) / max(1, end - total)


def wait_until_calm(limit: float, calm: float = 0.15) -> float:
    """Wait until the machine is idle, at most `limit` seconds; returns its CPU use at the last look."""
    end = time.monotonic() + limit
    while (now := cpu_use()) > calm and time.monotonic() < end:
        pass
    return now


def _ticks() -> tuple[int, int]:
    fields = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    # user nice system idle iowait irq softirq steal
    return sum(fields) - fields[3] - fields[4], sum(fields)
