"""Docker Compose v2, built once from its Go module into the machine's cache."""

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from toolchain.paths import Paths
from toolchain.process import Runner

HERE = Path(__file__).resolve().parent / "compose"
PACKAGE = "github.com/docker/compose/v2/cmd"
# 2 minutes on two idle cores, 7 on busy ones.
BUILD_LIMIT_SECONDS = 1800.0


class GoMissing(Exception):
    """Go is missing, so Docker Compose cannot be built."""


def version() -> str:
    """The version that compose/go.mod pins: `2.40.3`. Raises AttributeError when it pins none."""
    match = re.search(r"github\.com/docker/compose/v2 v(\S+)", (HERE / "go.mod").read_text())
    assert match is not None
    return match.group(1)


def compose(environ: Mapping[str, str], say: Callable[[str], None]) -> Path:
    """The path of a `docker-compose` of the pinned version. Raises GoMissing, ToolchainError."""
    paths = Paths.of(environ)
    binary = paths.cache / f"compose-{version()}" / "docker-compose"
    if binary.exists():
        return binary
    go = find_go(paths)
    say(f"building Docker Compose {version()}, once (2 minutes on 2 idle cores)")
    binary.parent.mkdir(parents=True, exist_ok=True)
    unfinished = binary.with_suffix(f".{os.getpid()}")
    flags = f"-s -w -X github.com/docker/compose/v2/internal.Version=v{version()}"
    try:
        Runner(paths.logs, {**environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}).run(
            ["nice", go, "build", "-trimpath", "-ldflags", flags, "-o", unfinished, PACKAGE],
            what="Docker Compose",
            log="compose",
            limit=BUILD_LIMIT_SECONDS,
            cwd=HERE,
        )
        unfinished.replace(binary)
    finally:
        unfinished.unlink(missing_ok=True)
    return binary


def find_go(paths: Paths) -> str:
    """The Go on PATH, else the one that the toolchain put into the cache. Raises GoMissing."""
    ours = sorted(paths.cache.glob("go-*/bin/go"))
    go = shutil.which("go") or (str(ours[-1]) if ours else None)
    if go is None:
        raise GoMissing(
            "no Go on PATH and none in the cache to build Docker Compose with; put Go 1.25 or newer on PATH"
        )
    return go
