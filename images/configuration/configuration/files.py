"""Files that are whole or not there."""

import os
import secrets
from pathlib import Path

MODE = 0o640


def write(path: Path, data: bytes, mode: int = MODE) -> None:
    """Replace a file at once; a reader, on whatever host, sees the old or the new one."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def read(path: Path, most: int) -> bytes | None:
    """Up to `most` + 1 bytes, or None where there is no file.

    Opened anew each time: an NFS client asks the server for a file's age when it is opened, and not before.
    """
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
