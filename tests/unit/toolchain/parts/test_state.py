"""The state folder's passphrase."""

from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.parts import state
from toolchain.paths import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "cache", tmp_path / "data")


def test_the_passphrase_is_made_once_for_its_owner_alone(paths: Paths) -> None:
    assert not state.is_there(paths)
    state.make(paths)
    passphrase = paths.passphrase.read_text()
    state.make(paths)
    assert state.is_there(paths)
    assert paths.passphrase.read_text() == passphrase
    assert len(passphrase) == 48
    assert [path.stat().st_mode & 0o777 for path in (paths.data, paths.state, paths.passphrase)] == [
        0o700,
        0o700,
        0o600,
    ]
    assert sorted(path.name for path in paths.data.iterdir()) == ["passphrase", "pulumi", "state"]


def test_a_passphrase_that_got_lost_is_not_made_anew(paths: Paths) -> None:
    state.make(paths)
    stack = paths.state / ".pulumi" / "stacks" / "portals" / "acme.json"
    stack.parent.mkdir(parents=True)
    stack.touch()
    paths.passphrase.unlink()
    with pytest.raises(
        ToolchainError, match=r"holds stacks \(acme\), but the passphrase .* restore it from a backup"
    ):
        state.make(paths)
    assert not paths.passphrase.exists()
