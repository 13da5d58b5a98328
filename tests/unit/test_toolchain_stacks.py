"""Which tenants still need a stack before the plain CLI can select it."""

from pathlib import Path

import pytest

from toolchain.paths import Paths
from toolchain.stacks import make, missing


@pytest.fixture
def tenants(tmp_path: Path) -> Path:
    folder = tmp_path / "tenants"
    folder.mkdir()
    for name in ("acme.yaml", "demo.yaml", "Pulumi.acme.yaml", "README.md"):
        (folder / name).touch()
    return folder


def test_tenants_without_a_stack_are_missing(tenants: Path, tmp_path: Path) -> None:
    paths = Paths(tmp_path / "cache", tmp_path / "data")
    ours = {"PULUMI_BACKEND_URL": paths.backend}
    assert missing(tenants, paths, ours) == ["acme", "demo"]
    made = paths.state / ".pulumi" / "stacks" / "portals"
    made.mkdir(parents=True)
    (made / "demo.json").touch()
    assert missing(tenants, paths, ours) == ["acme"]


@pytest.mark.parametrize("url", ["s3://bucket", "file:///elsewhere", ""])
def test_another_backend_is_left_alone(tenants: Path, tmp_path: Path, url: str) -> None:
    paths = Paths(tmp_path / "cache", tmp_path / "data")
    assert missing(tenants, paths, {"PULUMI_BACKEND_URL": url}) == []


def test_a_stack_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    make(["acme"], tmp_path, {"PATH": str(tmp_path)}, said.append)
    assert said[0].startswith("no stack acme was made: ")
