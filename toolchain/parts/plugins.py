"""The plugins that Pulumi's CLI starts for docker: and random: resources: the official ones, or the repo's own."""

import compileall
import shlex
import shutil
from pathlib import Path

from toolchain import files
from toolchain.process import Runner

INSTALL_LIMIT = 600


def folder(home: Path, name: str, version: str) -> Path:
    """Where the CLI looks for a plugin."""
    return home / "plugins" / f"resource-{name}-v{version}"


def program(home: Path, name: str, version: str) -> Path:
    return folder(home, name, version) / f"pulumi-resource-{name}"


def launcher(name: str, python: Path, sources: Path) -> str:
    """The program that the CLI starts: our Python plugin, from a copy of its sources."""
    return (
        "#!/bin/sh\n"
        "# Written by toolchain/parts/plugins.py; this plugin's source is plugins/ of the repo.\n"
        "# -P: the CLI starts plugins in the project's folder, which is not to be imported from.\n"
        f'PYTHONPATH={shlex.quote(str(sources))} exec {shlex.quote(str(python))} -P -m plugins.{name} "$@"\n'
    )


def is_ours(program: Path) -> bool:
    """Whether a plugin's program is a launcher of the repo's own plugin."""
    with program.open("rb") as file:
        return file.read(2) == b"#!"


def install_own(source: Path, key: str, home: Path, name: str, version: str, python: Path) -> Path:
    """Put a copy of plugins/ under the CLI's plugin folder and turn the launcher to it; return the launcher.

    A running plugin keeps the copy it started from: the one before the last is removed, not the last.
    """
    place = folder(home, name, version)
    place.mkdir(parents=True, exist_ok=True)
    files.remove_unfinished(place)
    copy = place / f"source-{key}"
    if not copy.exists():
        made = files.unfinished(copy)
        for path in files.sources(source):
            to = made / "plugins" / path.relative_to(source)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, to)
        # As it will lie: the path in a traceback, and times that the compiled files remember.
        compileall.compile_dir(made, quiet=2, stripdir=made, prependdir=copy, workers=1)
        made.rename(copy)
    old = sorted(place.glob("source-*"), key=lambda each: each.stat().st_mtime_ns)
    for each in [each for each in old if each != copy and files.UNFINISHED not in each.name][:-1]:
        files.remove(each)
    path = program(home, name, version)
    files.write(path, launcher(name, python, copy), mode=0o755)
    return path


def archive(name: str, version: str, machine: str) -> str:
    """The name of the file that a plugin is published as, by which its sum is pinned. machine: as `uname -m` says it."""
    kind = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
    return f"pulumi-resource-{name}-v{version}-linux-{kind}.tar.gz"


def install_official(cli: Path, home: Path, name: str, version: str, runner: Runner, sha256: str) -> Path:
    """Let the CLI download a plugin; return its program. wanted: the archive's SHA-256. Raises ToolchainError.

    Not tried on a machine without the internet, where this was written; its words are those of `pulumi plugin --help`.
    """
    place = folder(home, name, version)
    if place.exists() and is_ours(program(home, name, version)):
        files.remove(place)
    runner.run(
        [cli, "plugin", "install", "resource", name, version, "--checksum", sha256],
        what=f"plugins: downloading {name} {version}",
        log="plugins",
        limit=INSTALL_LIMIT,
        remedy="PORTAL_TOOLCHAIN=packages serves these resources from the repo's own plugins instead",
        env={"PULUMI_HOME": str(home), "PULUMI_SKIP_UPDATE_CHECK": "1"},
    )
    return program(home, name, version)
