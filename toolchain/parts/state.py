"""Where Pulumi's file backend keeps the stacks, and the passphrase that their secrets are encrypted with."""

import os
from pathlib import Path

from toolchain import files
from toolchain.errors import ToolchainError
from toolchain.paths import Paths


def is_there(paths: Paths) -> bool:
    return paths.passphrase.exists() and paths.state.is_dir()


def make(paths: Paths) -> None:
    """Make the folders, for their owner alone, and the passphrase, once. Raises ToolchainError when it got lost."""
    for folder in (paths.data, paths.state, paths.pulumi_home):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths.data.chmod(0o700)
    paths.state.chmod(0o700)
    if not paths.passphrase.exists():
        if stacks(paths.state):
            raise ToolchainError(
                f"{paths.state} holds stacks ({', '.join(stacks(paths.state))}), but the passphrase "
                f"of their secrets, {paths.passphrase}, is missing: restore it from a backup (mode "
                f"0600), or move {paths.state} away to start again"
            )
        _make_passphrase(paths.passphrase)


def stacks(state: Path) -> list[str]:
    """The stacks that a file backend's folder knows."""
    return sorted(path.stem for path in state.glob(".pulumi/stacks/**/*.json"))


def _make_passphrase(path: Path) -> None:
    made = files.unfinished(path)
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(os.urandom(24).hex())
    files.sync(made)
    try:
        # A link, not a rename: of two that do this at once the first one's passphrase stays.
        os.link(made, path)
    except FileExistsError:
        pass
    finally:
        made.unlink()
    files.sync(path.parent)
