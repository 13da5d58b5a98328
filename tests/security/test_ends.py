"""Every verb, whatever its streams, its locale and its home are: no traceback, one line that says why, an exit code."""

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from automation.cli import app
from tests.programs import ROOT, TENANTS
from tests.security.forked import KINDS
from toolchain.errors import ToolchainError
from toolchain.paths import check

# The words that a verb wants. None of these cases changes anything, and there is no engine.
WORDS = {
    "demo": ("demo",),
    "up": ("up", "acme"),
    "destroy": ("destroy", "acme", "--dry-run"),
    "status": ("status", "acme", "--json"),
    "tenants": ("tenants",),
    "preview": ("preview", "acme", "--json"),
    "changed": ("changed", "HEAD"),
    "comment": ("comment", "none.md"),
    "new": ("new", "oak", "--lms", "oak.example.com", "--dry-run"),
    "logs": ("logs", "acme"),
    "open": ("open", "acme", "--print"),
    "purge": ("purge", "acme", "--dry-run"),
    "orphans": ("orphans",),
    "images build": ("images", "build"),
    "images list": ("images", "list"),
    "images prune": ("images", "prune", "--dry-run"),
    "images pin": ("images", "pin", "none"),
    "images check": ("images", "check", "acme/openedx:1"),
    "drive init": ("drive", "init", "/srv/none"),
}
# They hand their streams to ruff, mypy and pytest.
OTHERS = {"test", "lint"}


def verbs() -> set[str]:
    """Every verb of the command, groups with theirs."""
    names = set()
    for name, each in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(each, "commands", None)
        names |= {f"{name} {one}" for one in inner} if inner else {name}
    return names


# More that writes: a table, JSON, Markdown, an address, and help.
MORE = (
    ("tenants", "--json"),
    ("changed", "HEAD", "--json"),
    ("changed", "HEAD", "--markdown"),
    ("open", "acme", "cms", "--print"),
    ("--help",),
    ("nonsense",),
    ("tenants", "--nonsense"),
    ("up", "--help"),
    ("images", "--help"),
)
CASES = (*WORDS.values(), *MORE)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How one ended; what is in no file was written elsewhere."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


def surroundings(folder: Path) -> dict[str, str]:
    """An environment with no engine, no Pulumi and an empty state."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "DOCKER_HOST": f"unix://{folder}/none.sock",
        "PULUMI_BACKEND_URL": f"file://{folder}/state?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": "none",
        "PYTHONUTF8": "1",
        # A checkout that git is not to ask questions about.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("ends")
    (folder / "portals").mkdir()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.security.forked"],
        cwd=ROOT,
        env=surroundings(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as runs:
        assert runs.stdin
        assert runs.stdout

        def one(*words: str, out: str = "", err: str = "") -> Ended:
            assert runs.stdin
            assert runs.stdout
            to_out, to_err = folder / "out", folder / "err"
            for each in (to_out, to_err):
                each.write_text("")
            case = {"words": words, "out": out or str(to_out), "err": err or str(to_err)}
            runs.stdin.write(json.dumps(case) + "\n")
            runs.stdin.flush()
            return Ended(code=int(runs.stdout.readline()), out=to_out.read_text(), err=to_err.read_text())

        yield one
        runs.stdin.close()


def test_every_verb_is_here() -> None:
    assert set(WORDS) | OTHERS == verbs()


@pytest.mark.parametrize("words", CASES, ids=" ".join)
def test_a_verb_with_broken_streams(run: Run, words: tuple[str, ...]) -> None:
    usual = run(*words)
    assert usual.code in (0, 1, 2, 5, 7), usual
    # Before what takes seconds one line says that it has begun.
    expected = [line for line in usual.err.splitlines() if not line.startswith("acme: previewing")]
    assert bool(usual.code) == bool(expected), usual
    assert "bug in this program" not in usual.err
    # What nobody can be told changes nothing of what is done.
    for kind in KINDS:
        deaf = run(*words, err=kind)
        assert (deaf.code, deaf.out) == (usual.code, usual.out), kind
        if not usual.err:
            break
    for kind in KINDS if usual.out else KINDS[:1]:
        dumb = run(*words, out=kind)
        assert "Traceback" not in dumb.err
        assert "Exception ignored" not in dumb.err
        if not usual.out:
            assert (dumb.code, dumb.err) == (usual.code, usual.err), kind
        elif kind == "gone":
            # As any program of the system that SIGPIPE ends.
            assert (dumb.code, dumb.err) == (141, usual.err)
        else:
            assert dumb.code == 1
            assert dumb.err.removeprefix(usual.err).startswith("error: standard output cannot be written: ")
            assert dumb.err.removeprefix(usual.err).count("\n") == 1
    assert run(*words, out="closed", err="closed").code == (1 if usual.out else usual.code)


def portal(*words: str, env: dict[str, str]) -> "subprocess.CompletedProcess[bytes]":
    """The command as people run it, from its first line on."""
    return subprocess.run(
        [str(ROOT / "portal"), *words],
        cwd="/",
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )


LOCALES = {
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "ascii": {"PYTHONIOENCODING": "ascii:strict"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "none": {"LC_ALL": "xx_XX.nonsense"},
}


@pytest.mark.parametrize("locale", LOCALES)
def test_a_locale_that_lacks_letters(locale: str) -> None:
    """Verbs that want no engine, in the environment that was made already: another home would have all made anew."""
    env = {**os.environ, "PORTAL_PYTHON": sys.executable, **LOCALES[locale]}
    ran = portal("changed", "Ω🎓", env=env)
    assert ran.returncode == 2, ran
    assert b"Traceback" not in ran.stderr
    assert sum(b"git knows no such ref" in each for each in ran.stderr.splitlines()) == 1
    ran = portal("tenants", env=env)
    assert (ran.returncode, ran.stdout.count(b"\n")) == (0, 2 + len(list(TENANTS.glob("[a-z]*.yaml"))))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("nonsense", "unknown encoding: nonsense"),
        ("utf-8:nonsense", "unknown error handler name 'nonsense'"),
        (":nonsense", "unknown error handler name 'nonsense'"),
    ],
)
def test_an_encoding_that_nobody_knows(value: str, reason: str) -> None:
    """Python itself would end with a dump, before anything of ours runs."""
    ran = portal("tenants", env={**os.environ, "PORTAL_PYTHON": sys.executable, "PYTHONIOENCODING": value})
    assert (ran.returncode, ran.stdout) == (1, b"")
    told = f"portal: PYTHONIOENCODING={value}: {reason}; unset it, or set it to utf-8\n"
    assert ran.stderr.decode() == told


@pytest.mark.parametrize(
    "words", [("tenants",), ("env",), ("engine", "status"), ("setup",), ("up", "acme")], ids=" ".join
)
def test_a_home_that_is_not_there(words: tuple[str, ...], tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": f"{tmp_path}/none", "PORTAL_PYTHON": sys.executable}
    ran = portal(*words, env=env)
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert ran.stderr.startswith(f"portal: HOME={tmp_path}/none is not a directory, but ".encode())
    assert ran.stderr.count(b"\n") == 1
    assert not (tmp_path / "none").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone may become another user")
def test_a_home_that_may_not_be_written_to() -> None:
    """As the user nobody, whose home is no folder or the root."""
    nobody = pwd.getpwnam("nobody").pw_uid
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.setuid(nobody)
        try:
            check({"HOME": "/"})
        except ToolchainError as error:
            os.write(writer, str(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as output:
        assert output.read().startswith(
            "/.cache/portals cannot be created: this user may not write to /; set HOME to a directory of this user"
        )


def test_facts_that_cannot_be_written_are_a_failure(tmp_path: Path) -> None:
    """What a script reads must be whole, or the command has failed."""
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            [str(ROOT / "portal"), "engine", "status"],
            env={**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none", "PORTAL_PYTHON": sys.executable},
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
    assert ran.returncode == 1
    assert ran.stderr == b"error: standard output cannot be written: No space left on device\n"
