"""The command as people run it: in a scratch checkout, with caches and data of its own."""

import json
import os
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.toolchain.answering_socket import answering
from toolchain.command import DEFAULT, LIGHT, parts_for
from toolchain.parts.dockerd import wait_until
from toolchain.paths import REPO, Paths
from toolchain.pins import Pins
from toolchain.setup.installation import PARTS, Installation
from toolchain.setup.stamps import PartResult


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ([], LIGHT),
        (["--help"], LIGHT),
        (["demo", "--help"], LIGHT),
        (["lint"], LIGHT),
        (["tenants", "--json"], LIGHT),
        (["demo"], DEFAULT),
        (["up", "acme"], DEFAULT),
        (["preview", "--all"], DEFAULT - {"engine", "images"}),
        (["changed", "origin/main"], LIGHT),
        (["comment", "comment.md"], LIGHT),
        (["test"], frozenset(PARTS)),
        (["test", "-k", "tenant"], frozenset(PARTS)),
    ],
)
def test_a_verb_wants_no_more_than_it_needs(words: list[str], parts: frozenset[str]) -> None:
    assert parts_for(words) == parts


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The parts of the repo that the toolchain reads; the virtual environment gets nothing installed."""
    folder = tmp_path / "a checkout"
    for each in ("toolchain", "config"):
        shutil.copytree(REPO / each, folder / each, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPO / "portal", folder / "portal")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "__init__.py").touch()
    (folder / "tenants").mkdir()
    (folder / "requirements.txt").write_text("# nothing\n")
    return folder


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "home").mkdir()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "DOCKER_HOST": f"unix://{tmp_path}/docker.sock",
        "PORTAL_PYTHON": sys.executable,
        "PORTAL_TOOLCHAIN": "packages",
    }


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[None]:
    """Something at DOCKER_HOST that answers like an engine."""
    with answering(tmp_path / "docker.sock"):
        yield


def portal(checkout: Path, env: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    # From another folder: the command is to find its own.
    done = [str(checkout / "portal"), *words]
    return subprocess.run(
        done, cwd="/", env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )


def stand(checkout: Path, env: dict[str, str]) -> Paths:
    """Make all parts look made."""
    paths = Paths.of(env)
    installation = Installation(env, paths, Pins.load(), repo=checkout)
    tools = paths.tools("packages-x")
    programs = {"venv": installation.venv_path / "bin" / "python", "plugins": paths.pulumi_home / "launcher"}
    programs |= {part: tools / part for part in ("pulumi", "language-host")}
    for part, path in programs.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('#!/bin/sh\nprintf "%s|" "$PWD" "$PULUMI_HOME" "$@"\n')
        path.chmod(0o755)
        installation.stamps.write(
            installation.key(part), PartResult(part=part, source="packages", where=str(path)), path
        )
    paths.state.mkdir()
    paths.passphrase.touch()
    return paths


@pytest.mark.usefixtures("engine")
def test_nothing_to_do_is_silent_and_starts_nothing(checkout: Path, env: dict[str, str]) -> None:
    paths = stand(checkout, env)
    done = portal(checkout, env, "env")
    assert (done.returncode, done.stderr) == (0, "")
    names = [line.removeprefix("export ").partition("=")[0] for line in done.stdout.splitlines()]
    assert names == [
        "PATH",
        "PULUMI_BACKEND_URL",
        "PULUMI_CONFIG_PASSPHRASE_FILE",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION",
        "PULUMI_HOME",
        "PULUMI_PARALLEL",
        "PULUMI_SKIP_UPDATE_CHECK",
        "PYTHONUTF8",
    ]
    assert f"{paths.tools('packages-x')}:" in done.stdout
    # No program was run, so no log was written; no lock was taken.
    assert not paths.logs.exists()
    assert not paths.lock.exists()


@pytest.mark.usefixtures("engine")
def test_the_environment_is_lines_for_a_shell_or_one_object(checkout: Path, env: dict[str, str]) -> None:
    stand(checkout, env)
    lines = portal(checkout, env, "env").stdout.splitlines()
    variables = json.loads(portal(checkout, env, "env", "--json").stdout)
    assert len(variables) > 3
    assert [f"export {name}={shlex.quote(variables[name])}" for name in sorted(variables)] == lines


@pytest.mark.usefixtures("engine")
def test_other_verbs_go_to_the_program_word_by_word(checkout: Path, env: dict[str, str]) -> None:
    paths = stand(checkout, env)
    done = portal(checkout, env, "up", "a b", "--json", "", "$HOME")
    assert done.stdout == f"{checkout}|{paths.pulumi_home}|-m|automation|up|a b|--json||$HOME|"
    assert done.stderr == ""


@pytest.mark.usefixtures("engine")
def test_setup_tells_what_was_taken_from_where(checkout: Path, env: dict[str, str]) -> None:
    stand(checkout, env)
    facts = json.loads(
        portal(checkout, env, "setup", "--only", "engine", "--only", "pulumi", "--json").stdout
    )
    assert [(part["part"], part["source"]) for part in facts["parts"]] == [
        ("engine", "there"),
        ("pulumi", "packages"),
    ]
    table = portal(checkout, env, "setup", "--only", "engine", "--only", "state")
    assert table.stdout == ""
    assert "was installed already" in table.stderr


def test_the_engine_is_told(checkout: Path, env: dict[str, str], engine: None) -> None:
    done = portal(checkout, env, "engine", "status", "--json")
    facts = {
        "state": "ready",
        "where": env["DOCKER_HOST"],
        "version": "API 1.41",
        "started_here": False,
        "host_rules": "unseen",
    }
    assert (done.returncode, json.loads(done.stdout)) == (0, facts)
    done = portal(checkout, env, "engine", "stop")
    assert (done.returncode, done.stdout) == (
        0,
        "nothing stopped: no dockerd that was started here is running\n",
    )


def test_no_engine_at_docker_host_is_told_with_the_remedy(checkout: Path, env: dict[str, str]) -> None:
    assert portal(checkout, env, "engine", "status").returncode == 1
    done = portal(checkout, env, "engine", "start")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr == (
        f"portal: engine: no Docker engine answers at DOCKER_HOST={env['DOCKER_HOST']} (No such file or directory); "
        "start that engine, or unset DOCKER_HOST to use this machine's own\n"
    )


def test_a_python_that_is_not_there_is_told(checkout: Path, env: dict[str, str]) -> None:
    done = portal(checkout, {**env, "PORTAL_PYTHON": "python9"}, "env")
    assert (done.returncode, done.stderr) == (
        1,
        "portal: python9 is not there; on Debian, as root: apt-get install python3\n",
    )


# venv and pip really run here, offline: nothing is to be installed.
MAKE = ("setup", "--only", "venv", "--only", "plugins", "--only", "state", "--json")


def test_killed_in_the_middle_and_run_again_it_is_whole(checkout: Path, env: dict[str, str]) -> None:
    paths = Paths.of(env)
    words = [str(checkout / "portal"), *MAKE]
    killed = subprocess.Popen(
        words, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert wait_until(lambda: any(paths.cache.glob("venv-*.*")), 60)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    assert not any(paths.stamps.glob("venv-*"))
    again = portal(checkout, env, *MAKE)
    assert again.returncode == 0, again.stderr
    facts = {part["part"]: part for part in json.loads(again.stdout)["parts"]}
    python = Path(facts["venv"]["where"]) / "bin" / "python"
    completed = subprocess.run(
        [python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, timeout=30
    )
    assert completed.stdout.strip() == facts["venv"]["where"]
    # The link and what it leads to; what the killed one made is gone.
    assert len(list(paths.cache.glob("venv-*"))) == 2
    assert stat.S_IMODE(paths.passphrase.stat().st_mode) == 0o600
    assert [part["seconds"] for part in json.loads(portal(checkout, env, *MAKE).stdout)["parts"]] == [0, 0, 0]


def test_two_at_once_make_it_once(checkout: Path, env: dict[str, str]) -> None:
    words = [str(checkout / "portal"), *MAKE]
    both = [
        subprocess.Popen(
            words,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=200) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    made = [
        part["seconds"] > 0
        for out, _ in outputs
        for part in json.loads(out)["parts"]
        if part["part"] == "venv"
    ]
    assert sorted(made) == [False, True]
    assert sum("another setup is running" in err for _, err in outputs) == 1


def test_a_polite_end_ends_what_runs(checkout: Path, env: dict[str, str], tmp_path: Path) -> None:
    """And leaves no folder of pip's or Go's behind, neither in /tmp nor where they were sent instead."""
    paths = Paths.of(env)
    env["TMPDIR"] = str(tmp_path / "tmp")
    (tmp_path / "tmp").mkdir()
    # pip waits for an index that never answers.
    with socket.create_server(("127.0.0.1", 0)) as index:
        (checkout / "requirements.txt").write_text("nothing==1 --hash=sha256:" + "0" * 64)
        url = f"http://127.0.0.1:{index.getsockname()[1]}"
        process = subprocess.Popen(
            [str(checkout / "portal"), *MAKE],
            env={
                **env,
                "PIP_INDEX_URL": url,
                "PIP_RETRIES": "0",
                "PIP_DEFAULT_TIMEOUT": "100",
                "no_proxy": "*",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        index.settimeout(60)
        pip, _ = index.accept()
        with pip:
            assert any(any(each.iterdir()) for each in paths.cache.glob("aside.unfinished-*"))
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
            assert process.returncode == 128 + signal.SIGTERM
            pip.settimeout(30)
            # Its end of the line closes: it is gone.
            while pip.recv(4096):
                pass
    assert not any(paths.stamps.glob("venv-*"))
    assert not any((tmp_path / "tmp").iterdir())
    assert not any(paths.cache.glob("*.unfinished-*"))
