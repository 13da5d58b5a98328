"""How each part is made."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from toolchain import environment
from toolchain.errors import ToolchainError
from toolchain.parts import dockerd, engine, golang, host_rules, language_host, plugins, pulumi_cli, state
from toolchain.parts.apt import Apt
from toolchain.parts.venv import Venv
from toolchain.process import Runner, tail
from toolchain.setup import facts
from toolchain.setup.decide import Choice
from toolchain.setup.installation import Installation
from toolchain.setup.progress import Progress
from toolchain.setup.schedule import Say
from toolchain.setup.stamps import PartResult

IMAGES_LIMIT = 3600.0  # seconds


@dataclass(frozen=True)
class Parts:
    """What makes parts according to a plan; each method makes one, in a thread of its own."""

    installation: Installation
    plan: Mapping[str, Choice]
    runner: Runner
    progress: Progress

    @cached_property
    def apt(self) -> Apt:
        return Apt(self.runner, facts.has_systemd())

    @cached_property
    def go(self) -> golang.Go:
        """The machine's Go, or the one that the part `go` installs."""
        if self.plan["go"].source == "packages":
            return self._wheel[1]
        go = shutil.which("go", path=self.runner.env["PATH"]) or "go"
        # Go wants a home for its caches.
        homeless = not self.installation.env.get("HOME")
        return golang.Go(program=Path(go), caches=self.installation.paths.go_caches if homeless else None)

    @cached_property
    def _wheel(self) -> tuple[Venv, golang.Go]:
        paths = self.installation.paths
        return golang.from_wheel(paths.go(self.installation.pins.go), paths.go_caches)

    def make(self, part: str, choice: Choice, say: Say) -> PartResult:
        """Make one part and say where it was taken from. Raises ToolchainError."""
        makers: dict[str, Callable[[Choice, Say], PartResult]] = {
            "basics": self._basics,
            "engine": self._engine,
            "venv": self._venv,
            "go": self._go,
            "pulumi": self._pulumi,
            "language-host": self._language_host,
            "plugins": self._plugins,
            "state": self._state,
            "images": self._programs("images"),
            "browser": self._programs("browser"),
            "portal-images": self._portal_images,
        }
        return makers[part](choice, say)

    def _basics(self, choice: Choice, say: Say) -> PartResult:
        say(f"installing {' '.join(choice.packages)}")
        self.apt.install(choice.packages, "basics")
        return PartResult(part="basics", source="debian", version=" ".join(choice.packages))

    def _programs(self, part: str) -> Callable[[Choice, Say], PartResult]:
        def make(choice: Choice, say: Say) -> PartResult:
            if choice.note:
                self.progress.say(f"{part}: {choice.note}")
            if choice.packages:
                say(f"installing {' '.join(choice.packages)}")
                self.apt.install(choice.packages, part)
            return PartResult(part=part, source=choice.source, version=" ".join(choice.packages))

        return make

    def _engine(self, choice: Choice, say: Say) -> PartResult:
        paths, pins = self.installation.paths, self.installation.pins
        if choice.packages:
            say(f"installing {' '.join(choice.packages)}")
            self.apt.install(choice.packages, "engine")
            paths.engine.mkdir(parents=True, exist_ok=True, mode=0o700)
            paths.installed.touch()
        say("starting dockerd")
        answer = engine.ask(self.installation.env, pins.engine_oldest_api)
        if not answer.usable:
            daemon = dockerd.Daemon(paths.engine)
            answer = dockerd.up(daemon, self.runner.env, pins.engine_oldest_api, systemd=facts.has_systemd())
        if lacking := host_rules.warning(host_rules.HostRules(self.installation.env, paths).ensure()):
            self.progress.say(lacking)
        return PartResult(part="engine", source=choice.source, version=answer.version, where=answer.where)

    def _venv(self, choice: Choice, say: Say) -> PartResult:
        say("creating the virtual environment")
        venv = Venv(self.installation.venv_path, self.installation.repo / "requirements.txt")
        venv.make(self.runner, "venv")
        version = ".".join(str(number) for number in sys.version_info[:3])
        result = PartResult(part="venv", source="packages", version=f"Python {version}", where=str(venv.path))
        return self._stamp(result, venv.path / "pyvenv.cfg")

    def _go(self, choice: Choice, say: Say) -> PartResult:
        if (
            choice.source == "packages"
            and self.installation.stamps.read("go", self.installation.pins.go) is None
        ):
            say("installing Go")
            venv, go = self._wheel
            venv.make(self.runner, "go")
            result = PartResult(
                part="go", source="packages", version=self.installation.pins.go, where=str(go.program)
            )
            return self.installation.stamps.write(self.installation.pins.go, result, go.program)
        version = self.runner.ask([self.go.program, "version"], env=self.go.env()).split()
        return PartResult(
            part="go", source=choice.source, version=version[2].removeprefix("go"), where=str(self.go.program)
        )

    def _tools(self, choice: Choice) -> Path:
        return self.installation.paths.tools(f"{choice.source}-{self.installation.tools_key}")

    def _pulumi(self, choice: Choice, say: Say) -> PartResult:
        pins = self.installation.pins
        if choice.source == "there":
            program = Path(shutil.which("pulumi", path=self.runner.env["PATH"]) or "pulumi")
            version = self.runner.ask([program, "version"]).strip().removeprefix("v")
        else:
            if choice.source == "official":
                say("downloading")
                machine = os.uname().machine
                program = pulumi_cli.download(
                    pulumi_cli.address(pins, machine),
                    self._tools(choice),
                    pins.sum_of(pulumi_cli.archive(pins, machine)),
                )
            else:
                say("building from its Go module (minutes)")
                program = pulumi_cli.build(pins, self.go, self._tools(choice), self.runner, say)
            version = pulumi_cli.check(program, pins, self.runner, self.installation.paths.pulumi_home)
        result = PartResult(part="pulumi", source=choice.source, version=version, where=str(program))
        return self._stamp(result, program)

    def _language_host(self, choice: Choice, say: Say) -> PartResult:
        if choice.source == "packages":
            say("building from its Go module")
            program = language_host.build(self.go, self._tools(choice), self.runner, say)
        elif choice.source == "official":
            # It came in the CLI's archive.
            program = self._tools(choice) / language_host.NAME
        else:
            program = Path(
                shutil.which(language_host.NAME, path=self.runner.env["PATH"]) or language_host.NAME
            )
        result = PartResult(part="language-host", source=choice.source, where=str(program))
        return self._stamp(result, program)

    def _plugins(self, choice: Choice, say: Say) -> PartResult:
        source = choice.source
        made = []
        if source == "official":
            try:
                made = self._official_plugins(say)
            except ToolchainError as error:
                if self.installation.env.get("PORTAL_TOOLCHAIN") == "official":
                    raise
                # The CLI can be had, the plugins' other server not: ours do the same.
                self.progress.say(f"{error}\n  using the repository's own plugins")
                source = "packages"
        if source == "packages":
            made = self._own_plugins(say)
        versions = ", ".join(
            f"{name} {version}" for name, version in sorted(self.installation.pins.plugins.items())
        )
        where = str(self.installation.paths.pulumi_home / "plugins")
        return self._stamp(PartResult(part="plugins", source=source, version=versions, where=where), *made)

    def _own_plugins(self, say: Say) -> list[Path]:
        installation, made = self.installation, []
        for name, version in sorted(installation.pins.plugins.items()):
            say(f"placing {name} {version}")
            python, home = Venv(installation.venv_path, Path()).python, installation.paths.pulumi_home
            made.append(
                plugins.install_own(
                    installation.repo / "plugins", installation.sources_key, home, name, version, python
                )
            )
        return made

    def _official_plugins(self, say: Say) -> list[Path]:
        cli = self.installation.part("pulumi")
        program = Path(cli.where) if cli else Path("pulumi")
        made = []
        for name, version in sorted(self.installation.pins.plugins.items()):
            say(f"downloading {name} {version}")
            sha256 = self.installation.pins.sum_of(plugins.archive(name, version, os.uname().machine))
            made.append(
                plugins.install_official(
                    program, self.installation.paths.pulumi_home, name, version, self.runner, sha256
                )
            )
        return made

    def _portal_images(self, choice: Choice, say: Say) -> PartResult:
        installation = self.installation
        folders = (installation.venv_path / "bin",)
        say("building")
        try:
            self.runner.run(
                [installation.venv_path / "bin" / "python", "-m", "automation", "images", "build"],
                what="portal-images",
                log="portal-images",
                limit=IMAGES_LIMIT,
                env=environment.exports(installation.paths, self.runner.env, folders, own_plugins=True),
                cwd=installation.repo,
                watch=lambda log: say(tail(log, 1).strip() or "building"),
            )
        except ToolchainError as error:
            # The command that needs them builds them again, and tells why it cannot.
            self.progress.say(str(error))
            return PartResult(part="portal-images", source="none")
        return PartResult(part="portal-images", source="packages")

    def _state(self, choice: Choice, say: Say) -> PartResult:
        state.make(self.installation.paths)
        return PartResult(part="state", source="made", where=str(self.installation.paths.data))

    def _stamp(self, result: PartResult, *evidence: Path) -> PartResult:
        return self.installation.stamps.write(self.installation.key(result.part), result, *evidence)
