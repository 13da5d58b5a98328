"""Other programs: their ends and their limits."""

import os
import threading
from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.parts.dockerd import wait_until
from toolchain.process import Runner, tail


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path / "logs", {"PATH": os.environ["PATH"]})


def test_a_program_that_ends_well(runner: Runner) -> None:
    runner.run(["sh", "-c", "echo out; echo err >&2"], what="x", log="x", limit=20)
    assert (runner.logs / "x.log").read_text() == "$ sh -c echo out; echo err >&2\nout\nerr\n"


def test_a_failure_tells_the_end_of_the_log_and_the_remedy(runner: Runner) -> None:
    with pytest.raises(ToolchainError) as error:
        runner.run(
            ["sh", "-c", "echo no route; exit 3"], what="go: Go", log="go", limit=20, remedy="Try it again"
        )
    assert str(error.value) == (
        "go: Go: sh ended with code 3\n"
        "    $ sh -c echo no route; exit 3\n"
        "    no route\n"
        f"  whole log: {runner.logs}/go.log\n"
        "  Try it again"
    )


def test_a_program_that_is_not_there(runner: Runner) -> None:
    with pytest.raises(ToolchainError, match=r"^x: cannot run no-such-program: No such file or directory$"):
        runner.run(["no-such-program"], what="x", log="x", limit=20)


def test_a_program_that_hangs_is_ended_with_its_children(runner: Runner, tmp_path: Path) -> None:
    script = f"sh -c 'echo $$ > {tmp_path}/child; exec tail -f /dev/null' & wait"
    with pytest.raises(ToolchainError, match=r"^x: sh: gave up after 1 s"):
        runner.run(["sh", "-c", script], what="x", log="x", limit=1)
    child = (tmp_path / "child").read_text().strip()
    assert wait_until(lambda: state(child) in ("", "Z"), 10)


def state(process: str) -> str:
    try:
        return Path("/proc", process, "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def test_stop_ends_what_runs_and_lets_nothing_new_start(runner: Runner) -> None:
    errors: list[ToolchainError] = []

    def work() -> None:
        try:
            runner.run(["tail", "-f", "/dev/null"], what="x", log="x", limit=60)
        except ToolchainError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert wait_until(lambda: bool(runner._running), 10)
    runner.stop()
    thread.join(timeout=10)
    assert [str(error) for error in errors] == ["x: stopped"]
    with pytest.raises(ToolchainError, match="y: stopped"):
        runner.run(["true"], what="y", log="y", limit=20)


def test_apt_is_spared(runner: Runner, tmp_path: Path) -> None:
    words = [
        "sh",
        "-c",
        f"touch {tmp_path}/begun; while [ ! -e {tmp_path}/end ]; do :; done; touch {tmp_path}/done",
    ]

    def work() -> None:
        with pytest.raises(ToolchainError, match="x: stopped"):
            runner.run(words, what="x", log="x", limit=60, spared=True)

    thread = threading.Thread(target=work)
    thread.start()
    assert wait_until((tmp_path / "begun").exists, 10)
    runner.stop()
    (tmp_path / "end").touch()
    thread.join(timeout=20)
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize(
    "words", [["false"], ["no-such-program"], ["sh", "-c", "printf '\\377'"], ["tail", "-f", "/dev/null"]]
)
def test_a_question_without_an_answer_is_empty(runner: Runner, words: list[str]) -> None:
    assert runner.ask(words, limit=0.5) == ""


def test_the_tail_of_a_long_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n\n" for number in range(10_000)) + "x" * 400)
    last_lines = tail(log).splitlines()
    assert last_lines[:5] == [f"    line {number}" for number in range(9995, 10_000)]
    assert len(last_lines[5]) == 304
    assert tail(tmp_path / "none") == ""
