"""Files that are whole or not there at all, and hashes of what things are made from."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

# Between name, process and noise of everything unfinished, so that what a killed run left is known.
UNFINISHED = ".unfinished-"


def unfinished(path: Path) -> Path:
    """A name beside a path that no other run, thread or leftover uses."""
    return path.with_name(f"{path.name}{UNFINISHED}{os.getpid()}-{os.urandom(4).hex()}")


def sync(path: Path) -> None:
    """Wait until a file, or a directory's list of names, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def move_into_place(made: Path, path: Path) -> None:
    """Give a finished file or link its name, over whatever has it, so that a kill leaves the old or the new."""
    if not made.is_symlink():
        sync(made)
    made.replace(path)
    sync(path.parent)


def write(path: Path, content: str, mode: int = 0o644) -> None:
    """Write a file whole, with its mode from the first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = unfinished(path)
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(content)
    made.chmod(mode)
    move_into_place(made, path)


def link(path: Path, target: Path) -> None:
    """Make a symbolic link, or turn the one there is to another target."""
    made = unfinished(path)
    made.symlink_to(target)
    move_into_place(made, path)


def remove(path: Path) -> None:
    """Remove a file or a tree, directories without write permission (Go's module cache) included."""

    def writable(action: Callable[[str], object], name: str, _: object) -> None:
        Path(name).parent.chmod(0o700)
        if not Path(name).is_symlink():
            Path(name).chmod(0o700)
        action(name)

    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        # Imported here: it loads every compression there is, and a look at what stands removes nothing.
        import shutil

        shutil.rmtree(path, onerror=writable)


def remove_unfinished(folder: Path) -> None:
    """Remove what runs that are dead by now left in a folder."""
    for path in folder.glob(f"*{UNFINISHED}*"):
        process = path.name.rpartition(UNFINISHED)[2].partition("-")[0]
        if not process.isdigit() or int(process) == os.getpid() or not Path("/proc", process).exists():
            remove(path)


def key(parts: Iterable[str | bytes]) -> str:
    """Sixteen hex digits that change when any of the parts does."""
    digest = hashlib.sha256()
    for part in parts:
        # A file's name may be any bytes.
        content = part.encode(errors="surrogateescape") if isinstance(part, str) else part
        digest.update(f"{len(content)}:".encode() + content)
    return digest.hexdigest()[:16]


def sources(folder: Path) -> list[Path]:
    """A package's files in a steady order, without what Python, tests or editors leave."""
    return [
        Path(where, name)
        for where, _, names in sorted(os.walk(folder))
        if "__pycache__" not in where
        for name in sorted(names)
        if not name.endswith((".pyc", "~")) and not name.startswith(".")
    ]


def tree_key(folder: Path) -> str:
    """Changes when a file of a package changes its name, content or x bit."""
    return key(
        part
        for path in sources(folder)
        for part in (
            str(path.relative_to(folder)),
            "x" if path.stat().st_mode & stat.S_IXUSR else "-",
            path.read_bytes(),
        )
    )
