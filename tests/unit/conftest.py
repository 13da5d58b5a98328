"""What tests of several packages share."""

import json
import time
from pathlib import Path

import pytest

from automation.stack import PROJECT, Stack


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """base ← java ← search, which also uses python; base ← python."""
    for role, text in {
        "base": "packages: [ca-certificates]",
        "python": "parent: base",
        "java": "parent: base",
        "search": "parent: java\nuses: [python]\njars: pom.xml",
    }.items():
        home = tmp_path / role
        home.mkdir()
        (home / "image.yml").write_text(text)
        (home / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\n")
    return tmp_path


@pytest.fixture
def stack_with_tags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack in a file backend, whose tags are written as the CLI writes them."""
    made = Stack(name="acme", environ={"PULUMI_BACKEND_URL": f"file://{tmp_path}"})
    file = tmp_path / ".pulumi" / "stacks" / PROJECT / "acme.pulumi-tags"
    file.parent.mkdir(parents=True)

    def tag(self: Stack, name: str, value: str) -> None:
        assert len(name) <= 40
        tags = json.loads(file.read_text())["tags"] if file.exists() else {}
        file.write_text(json.dumps({"version": 1, "tags": {**tags, name: value}}))

    monkeypatch.setattr(Stack, "tag", tag)
    ticks = iter(range(1, 100))
    monkeypatch.setattr(time, "time_ns", lambda: next(ticks) * 1_000_000_000)
    return made
