"""Which parts stand already. Asks files and the engine only: this runs before every command."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from toolchain import files
from toolchain.environment import SYSTEM_PATH
from toolchain.parts import engine, state
from toolchain.parts.python import environment_key
from toolchain.paths import REPO, Paths
from toolchain.pins import Pins
from toolchain.setup.stamps import PartResult, Stamps

PARTS = ("engine", "venv", "pulumi", "language-host", "plugins", "state", "images", "browser")
PROGRAMS = {"images": "mmdebstrap", "browser": "chromium"}
GO = Path(__file__).parents[1] / "go"


def find_program(program: str, path: str) -> str:
    """Where a program is on a PATH; empty: nowhere. shutil's takes longer to load than all else here."""
    places = (f"{folder}/{program}" for folder in path.split(":") if folder)
    return next((place for place in places if os.path.isfile(place) and os.access(place, os.X_OK)), "")  # noqa: PTH113


@dataclass(frozen=True)
class Installation:
    """What this checkout wants of this machine, and what of it there is."""

    env: Mapping[str, str]
    paths: Paths
    pins: Pins
    repo: Path = REPO

    @cached_property
    def stamps(self) -> Stamps:
        return Stamps(self.paths.stamps)

    @cached_property
    def venv_key(self) -> str:
        return environment_key(self.repo / "requirements.txt")

    @cached_property
    def venv_path(self) -> Path:
        return self.paths.venv(self.venv_key)

    @cached_property
    def tools_key(self) -> str:
        """Of the CLI and its language host, which are of one kind."""
        modules = [
            (GO / module / name).read_bytes() for module in ("cli", "host") for name in ("go.mod", "go.sum")
        ]
        return files.key([self.pins.pulumi, *modules])

    @cached_property
    def sources_key(self) -> str:
        return files.tree_key(self.repo / "plugins")

    @cached_property
    def plugins_key(self) -> str:
        versions = [f"{name} {version}" for name, version in sorted(self.pins.plugins.items())]
        return files.key([self.sources_key, str(self.venv_path), str(self.paths.pulumi_home), *versions])

    def part(self, name: str) -> PartResult | None:
        """A part that stands as wanted; None when it is to be made."""
        if name == "engine":
            answer = engine.ask(self.env, self.pins.engine_oldest_api)
            return (
                PartResult(part=name, source="there", version=answer.version, where=answer.where)
                if answer.usable
                else None
            )
        if name == "state":
            return (
                PartResult(part=name, source="there", where=str(self.paths.data))
                if state.is_there(self.paths)
                else None
            )
        if name in PROGRAMS:
            return self._program(name, PROGRAMS[name])
        return self._stamped(name)

    def all(self, parts: frozenset[str]) -> dict[str, PartResult]:
        return {name: result for name in PARTS if name in parts and (result := self.part(name)) is not None}

    def key(self, name: str) -> str:
        keys = {
            "venv": "venv_key",
            "pulumi": "tools_key",
            "language-host": "tools_key",
            "plugins": "plugins_key",
        }
        return str(getattr(self, keys[name]))

    def _stamped(self, name: str) -> PartResult | None:
        result = self.stamps.read(name, self.key(name))
        forced = self.env.get("PORTAL_TOOLCHAIN", "")
        if result is None or (name != "venv" and forced not in ("", result.source)):
            return None
        return result

    def _program(self, name: str, program: str) -> PartResult | None:
        path = self.env.get("PATH") or SYSTEM_PATH
        program_path = find_program(program, path)
        if program_path:
            return PartResult(part=name, source="there", where=program_path)
        if os.geteuid() != 0 or not find_program("apt-get", path):
            # It cannot be had here; the rest works without it.
            packages = " ".join(self.pins.debian[name])
            return PartResult(part=name, source="none", version=f"as root: apt-get install {packages}")
        return None
