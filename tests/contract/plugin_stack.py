"""A real stack on our plugins: programs as plain data, run by the real CLI, answered as plain data."""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.images import reference

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = {"docker": "5.1.0", "random": "4.21.1"}
IMAGE = reference("base", ROOT / "images")
"""The image that all test containers are made from: a shell and little else."""


@dataclass(frozen=True)
class Step:
    """One step of a plan or a deployment, for one resource."""

    op: str
    diffs: list[str]
    detailed: dict[str, str]


@dataclass
class Outcome:
    """What a command did, by the resources' names."""

    failed: bool = False
    steps: dict[str, list[Step]] = field(default_factory=dict)
    messages: dict[str, list[str]] = field(default_factory=dict)
    output: str = ""

    def changed(self) -> dict[str, list[str]]:
        """Every resource that is not simply left alone, with its operations."""
        return {
            name: [step.op for step in steps]
            for name, steps in self.steps.items()
            if any(step.op not in ("same", "refresh") for step in steps)
        }

    def hear(self, event: Mapping[str, Any]) -> None:
        planned = event.get("resourcePreEvent")
        if planned:
            metadata = planned["metadata"]
            detailed = {key: one["diffKind"] for key, one in (metadata.get("detailedDiff") or {}).items()}
            step = Step(metadata["op"], list(metadata.get("diffs") or []), detailed)
            self.steps.setdefault(metadata["urn"].split("::")[-1], []).append(step)
        diagnostic = event.get("diagnosticEvent")
        if diagnostic and diagnostic["severity"] == "error":
            name = diagnostic.get("urn", "").split("::")[-1]
            self.messages.setdefault(name, []).append(diagnostic["message"])


PROGRAM = """
import json
import pathlib

import pulumi

made = {}
for name, (token, inputs, options) in json.loads(pathlib.Path("resources.json").read_text()).items():
    version = {"docker": "5.1.0", "random": "4.21.1"}[token.split(":")[0]]
    for key in options.pop("secrets", ()):
        inputs[key] = pulumi.Output.secret(inputs[key])
    options["depends_on"] = [made[each] for each in options.pop("depends_on_names", ())]
    made[name] = pulumi.CustomResource(token, name, inputs, pulumi.ResourceOptions(version=version, **options))
"""


class Stack:
    """A stack whose program is `resources`: name → (type, inputs) or (type, inputs, options)."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.resources: dict[str, tuple[Any, ...]] = {}
        self.work = folder / "work"
        self.events = folder / "events.json"
        for each in (self.work, folder / "state"):
            each.mkdir(parents=True, exist_ok=True)
        (self.work / "Pulumi.yaml").write_text("name: conformance\nruntime: python\n")
        self.program(PROGRAM)
        self.environment = {
            **os.environ,
            "PULUMI_HOME": str(plugin_home(folder / "home")),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "conformance",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
            # Opens the flag --event-log.
            "PULUMI_DEBUG_COMMANDS": "1",
            **(settings or {}),
        }
        self.run("stack", "init", "dev").check_returncode()

    def program(self, text: str) -> None:
        """Take `text` as the program."""
        (self.work / "__main__.py").write_text(text)

    def up(self, *options: str) -> Outcome:
        return self.outcome("up", "--yes", "--skip-preview", *options)

    def preview(self, *options: str) -> Outcome:
        return self.outcome("preview", *options)

    def destroy(self, *options: str) -> Outcome:
        return self.outcome("destroy", "--yes", "--skip-preview", *options)

    def outcome(self, *command: str) -> Outcome:
        """Run a command and read what the engine told of it."""
        self.events.unlink(missing_ok=True)
        ended = self.run(*command, "--event-log", str(self.events))
        outcome = Outcome(ended.returncode != 0, output=ended.stdout + ended.stderr)
        if self.events.exists():
            for line in self.events.read_text().splitlines():
                outcome.hear(json.loads(line))
        return outcome

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the CLI to its end."""
        return subprocess.run(
            self.command(*command),
            cwd=self.work,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def command(self, *command: str) -> list[str]:
        """Return the words of a command of the CLI, with the program written as the resources are now."""
        padded = {name: (*each, {})[:3] for name, each in self.resources.items()}
        (self.work / "resources.json").write_text(json.dumps(padded))
        return ["pulumi", *command, "--non-interactive", "--color", "never"]

    def state(self) -> dict[str, dict[str, Any]]:
        """What the state holds, by the resources' names; the stack itself and its providers left out."""
        deployment = json.loads(self.run("stack", "export").stdout)["deployment"]
        return {
            each["urn"].split("::")[-1]: each
            for each in deployment.get("resources", [])
            if not each["type"].startswith("pulumi:")
        }


def plugin_home(home: Path) -> Path:
    """Make a home of Pulumi whose plugins are those of this checkout."""
    for name, version in VERSIONS.items():
        folder = home / "plugins" / f"resource-{name}-v{version}"
        folder.mkdir(parents=True, exist_ok=True)
        launcher = folder / f"pulumi-resource-{name}"
        launcher.write_text(
            f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -P -m plugins.{name} "$@"\n'
        )
        launcher.chmod(launcher.stat().st_mode | stat.S_IXUSR)
    return home


def ensure_image(client: Any) -> None:
    """Build the image that all test containers are made from, unless the engine has it."""
    from automation.images import build

    if not client.images(IMAGE):
        build(["base"])


def missing() -> str:
    """Say what this machine lacks for a real stack, or ''."""
    for tool in ("pulumi", "pulumi-language-python"):
        if shutil.which(tool) is None:
            return f"no {tool} on PATH"
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if host.startswith("unix://") and not Path(host.removeprefix("unix://")).exists():
        return f"no Docker engine at {host}"
    return ""
