"""The tar file that the engine builds from: the same bytes for the same files, so that its cache holds."""

import tarfile
import tempfile
from pathlib import Path
from typing import IO

from config.images import executable, files


def context(role: str, folder: Path, extra: dict[str, Path]) -> IO[bytes]:
    """A role's files, and beside them each folder of `extra` under its name; the caller closes it."""
    made = tempfile.TemporaryFile()  # noqa: SIM115 (handed on open)
    with tarfile.open(fileobj=made, mode="w") as tar:
        for path in files(role, folder):
            _add(tar, path, path.relative_to(folder / role).as_posix())
        for name, home in sorted(extra.items()):
            for path in sorted(each for each in home.rglob("*") if each.is_file()):
                _add(tar, path, f"{name}/{path.relative_to(home).as_posix()}")
    made.seek(0)
    return made


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.size = path.stat().st_size
    # Of the mode only the x bit, of owner and time nothing: they differ from checkout to checkout.
    info.mode = 0o755 if executable(path) else 0o644
    with path.open("rb") as content:
        tar.addfile(info, content)
