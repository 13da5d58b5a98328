"""Writes files atomically, and reads files that others may have replaced by something else."""

import errno
import os
import secrets
import stat
from pathlib import Path

MODE = 0o640


def write(path: Path, data: bytes, mode: int = MODE) -> None:
    """Replace a file atomically: a reader on any host sees the old content or the new one."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _write(folder, path.name, data, mode)
    finally:
        os.close(folder)


def write_below(folder: Path, names: tuple[str, ...], data: bytes) -> None:
    """Replace a file below a folder where others may write, without following links. Raises OSError.

    `names` are the folders below `folder` (made if missing) and the file.
    """
    *folders, name = names
    here = _open_folder(folder, folders)
    try:
        _write(here, name, data, MODE)
    finally:
        os.close(here)


def delete_below(folder: Path, names: tuple[str, ...]) -> None:
    """Delete a file that `write_below` wrote. Raises OSError, also if it does not exist."""
    *folders, name = names
    here = _open_folder(folder, folders)
    try:
        os.unlink(name, dir_fd=here)
    finally:
        os.close(here)


def _open_folder(folder: Path, folders: list[str]) -> int:
    """The descriptor of a folder; a link on the way is an error."""
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for each in folders:
        above = here
        try:
            if not _is_folder(above, each):
                os.mkdir(each, 0o750, dir_fd=above)
            here = os.open(each, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
        finally:
            os.close(above)
    return here


def _is_folder(here: int, name: str) -> bool:
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _write(folder: int, name: str, data: bytes, mode: int) -> None:
    partial = f".{name}.{secrets.token_hex(4)}"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(partial, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(partial, dir_fd=folder)
        raise


def read(path: Path, most: int) -> bytes | None:
    """Up to `most` + 1 bytes, or None if there is no file.

    The file is opened at each call: an NFS client asks the server for its age when it opens the file, not earlier.
    """
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_regular(path: Path, most: int) -> tuple[bytes, int] | None:
    """Up to `most` + 1 bytes of a file that others wrote, and its modification time (ns); None if there is none.

    Never waits and follows no link: a FIFO, a device, a folder and a link are refused. The target of a link may be a
    secret of this container, and an error would quote it. Raises OSError, whose strerror says what was found instead.
    """
    try:
        before = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(before.st_mode):
        raise OSError(errno.EINVAL, f"is {_kind(before.st_mode)}, expected a file", str(path))
    try:
        # It may have been replaced since lstat(): opening a FIFO must not wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        now = os.fstat(file.fileno())
        if not stat.S_ISREG(now.st_mode):
            raise OSError(errno.EINVAL, f"is {_kind(now.st_mode)}, expected a file", str(path))
        return file.read(most + 1), now.st_mtime_ns


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFLNK: "a link",
        stat.S_IFSOCK: "a socket",
        stat.S_IFBLK: "a device",
        stat.S_IFCHR: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "no file")
