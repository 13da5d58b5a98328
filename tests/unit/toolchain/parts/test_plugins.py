"""The repo's own plugins where Pulumi's CLI looks for them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from toolchain import files
from toolchain.parts import plugins

# A plugin that tells what it imported and with which words it was started.
PLUGIN = """
import sys
from plugins import VERSION
print(VERSION, __file__, *sys.argv[1:])
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout" / "plugins"
    (folder / "docker").mkdir(parents=True)
    (folder / "__init__.py").write_text("VERSION = 1")
    (folder / "docker" / "__main__.py").write_text(PLUGIN)
    return folder


def install(source: Path, home: Path) -> Path:
    key = files.tree_key(source)
    return plugins.install_own(source, key, home, "docker", "5.1.0", Path(sys.executable))


def output_lines(program: Path, cwd: Path) -> list[str]:
    done = subprocess.run(
        [program, "a b", "$HOME"], cwd=cwd, capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout.split(" ", 2)


def test_the_cli_starts_the_copy_not_the_checkout(source: Path, tmp_path: Path) -> None:
    home = tmp_path / "a home"
    program = install(source, home)
    assert program == home / "plugins" / "resource-docker-v5.1.0" / "pulumi-resource-docker"
    # The CLI starts a plugin in the project's folder, where another `plugins` lies.
    (source / "__init__.py").write_text("VERSION = 2")
    version, rest = (
        output_lines(program, source.parent)[0],
        " ".join(output_lines(program, source.parent)[1:]),
    )
    assert version == "1"
    assert rest.startswith(f"{program.parent}/source-")
    assert rest.endswith("a b $HOME\n")


def test_a_change_is_taken_and_the_copy_before_it_kept_for_who_runs_it(source: Path, tmp_path: Path) -> None:
    copies = []
    for version in range(1, 5):
        (source / "__init__.py").write_text(f"VERSION = {version}")
        program = install(source, tmp_path / "home")
        assert output_lines(program, tmp_path)[0] == str(version)
        copies.append(len(list(program.parent.glob("source-*"))))
    assert copies == [1, 2, 2, 2]


def test_twice_is_as_once(source: Path, tmp_path: Path) -> None:
    first = install(source, tmp_path / "home")
    before = sorted((path, path.stat().st_mtime_ns) for path in first.parent.rglob("*.py"))
    assert install(source, tmp_path / "home") == first
    assert sorted((path, path.stat().st_mtime_ns) for path in first.parent.rglob("*.py")) == before


def test_what_a_killed_run_left_is_removed(source: Path, tmp_path: Path) -> None:
    folder = plugins.folder(tmp_path / "home", "docker", "5.1.0")
    (folder / f"source-x{files.UNFINISHED}999999999-aa").mkdir(parents=True)
    install(source, tmp_path / "home")
    assert len(list(folder.glob("source-*"))) == 1


def test_ours_is_told_from_the_official(source: Path, tmp_path: Path) -> None:
    assert plugins.is_ours(install(source, tmp_path / "home"))
    assert not plugins.is_ours(Path(os.path.realpath(sys.executable)))
