"""What tests of several packages share."""

from pathlib import Path

import pytest


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
