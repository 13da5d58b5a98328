"""The project's own checks: ruff, mypy, pytest, by the same words for people and for CI."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from automation import images
from automation.images.progress import building
from automation.stack import ROOT

LIMIT_SECONDS = 5400
# All tests are shared by one worker more than CI's machine has cores: what runs end to end waits half of its time.
ALL_TESTS = ("-n", "3")


def lint(say: Callable[[str], None]) -> int:
    """Run ruff and mypy; the first exit code that is not 0, else 0."""
    for words in (["ruff", "check", "."], ["ruff", "format", "--check", "--diff", "."], ["mypy"]):
        say(f"$ {' '.join(words)}")
        code = run([sys.executable, "-m", *words])
        if code:
            return code
    return 0


def test(words: Sequence[str], say: Callable[[str], None]) -> int:
    """Run pytest with `words`; without any, lint before and run all tests. pytest's closing line comes last."""
    if not words and (code := lint(say)):
        return code
    with building() as progress:
        images.build(None, on_event=progress)
    # Become pytest: a parent would end it a quarter of a second after Ctrl-C, before its fixtures have cleaned up.
    sys.stderr.flush()
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *(words or ALL_TESTS)])  # noqa: S606


def run(words: list[str]) -> int:
    """A tool of ours from the repo's root."""
    return subprocess.run(words, cwd=ROOT, check=False, timeout=LIMIT_SECONDS).returncode
