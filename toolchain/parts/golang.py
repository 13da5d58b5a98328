"""Go, to build Pulumi's CLI and language host: one on PATH that is new enough, else the wheel that holds all of it."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import ToolchainError
from toolchain.parts.venv import Venv
from toolchain.process import Runner

FOLDER = Path(__file__).parents[1] / "go"
REQUIREMENTS = FOLDER / "requirements.txt"
BUILD_LIMIT = 2400


@dataclass(frozen=True, kw_only=True)
class Go:
    """A Go program, and where it keeps its caches; None: where the machine's own Go keeps them."""

    program: Path
    caches: Path | None

    def env(self) -> Mapping[str, str]:
        # go.mod names the versions; nothing is fetched but modules. A workspace file above us is not ours.
        env = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
        if self.caches is not None:
            # Go makes its modules read-only, which makes them hard to remove.
            env |= {
                "GOFLAGS": "-modcacherw",
                "GOPATH": str(self.caches / "path"),
                "GOCACHE": str(self.caches / "build"),
            }
        return env

    def build(
        self,
        module: Path,
        package: str,
        to: Path,
        runner: Runner,
        *,
        log: str,
        flags: tuple[str, ...] = (),
        watch: Callable[[Path], None] | None = None,
    ) -> None:
        """Build a program by the go.mod and go.sum that lie in a folder. Raises ToolchainError."""
        runner.run(
            [
                self.program,
                "build",
                "-v",
                "-mod=readonly",
                "-buildvcs=false",
                "-trimpath",
                *flags,
                "-o",
                to,
                package,
            ],
            what=f"{log}: building {package}",
            log=log,
            limit=BUILD_LIMIT,
            remedy="Go takes its module proxy from GOPROXY; PORTAL_TOOLCHAIN=official downloads the built program instead",
            env=self.env(),
            cwd=module,
            watch=watch,
        )

    def fetch(self, module: Path, path: str, runner: Runner) -> Path:
        """Fetch one of the modules that a go.mod names; return where its sources lie. Raises ToolchainError."""
        # Waits for the build beside it, should that be fetching the same one.
        output, why = runner.answer(
            [self.program, "mod", "download", "-json", path], limit=600, env=self.env(), cwd=module
        )
        folder = json.loads(output or "{}").get("Dir")
        if not folder:
            raise ToolchainError(
                f"go mod download gives no directory for the module {path} of {module}: {why or 'it names none'}"
            )
        return Path(folder)


def from_wheel(venv: Path, caches: Path) -> tuple[Venv, Go]:
    """The environment that Go's wheel is installed in, and the Go in it."""
    library = f"python{sys.version_info.major}.{sys.version_info.minor}"
    program = venv / "lib" / library / "site-packages" / "go" / "bin" / "go"
    return Venv(venv, REQUIREMENTS), Go(program=program, caches=caches)


def progress(say: Callable[[str], None]) -> Callable[[Path], None]:
    """Tell how far a build is by its log: modules fetched, then packages compiled."""

    def watch(log: Path) -> None:
        lines = log.read_bytes().splitlines()
        fetched = sum(line.startswith(b"go: downloading") for line in lines)
        compiled = sum(not line.startswith((b"go: ", b"$ ")) for line in lines)
        say(f"{compiled} packages compiled" if compiled else f"{fetched} modules fetched")

    return watch
