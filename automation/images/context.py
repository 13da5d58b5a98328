"""The tar file that the engine builds from: the same bytes for the same files, so that its cache holds."""

import io
import tarfile
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from config.images import content, executable, files


def context(role: str, folder: Path, extra: dict[str, Path]) -> IO[bytes]:
    """A role's files, and beside them each folder of `extra` under its name; the caller closes it.

    Raises ImageError for a link of the role's files that leads out of the checkout.
    """
    with ExitStack() as half:
        made = half.enter_context(tempfile.TemporaryFile())
        with tarfile.open(fileobj=made, mode="w") as tar:
            for path in files(role, folder):
                _add(tar, path, path.relative_to(folder / role).as_posix(), content(path, folder))
            for name, home in sorted(extra.items()):
                for path in sorted(each for each in home.rglob("*") if each.is_file()):
                    _add(tar, path, f"{name}/{path.relative_to(home).as_posix()}", path.read_bytes())
        made.seek(0)
        # Whole: from here on it is the caller's to close.
        half.pop_all()
        return made


def _add(tar: tarfile.TarFile, path: Path, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    # Of the mode only the x bit, of owner and time nothing: they differ from checkout to checkout.
    info.mode = 0o755 if executable(path) else 0o644
    tar.addfile(info, io.BytesIO(data))
