"""Copies the static files that the public image's build collected to where nginx serves them.

The build replaced equal files by links with absolute paths. Here each link becomes a hard link to the copy, which nginx
serves like any file and which takes no space.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path


def files(source: Path) -> Iterator[Path]:
    """All paths of files, also those behind links to folders."""
    for folder, folders, names in os.walk(source, followlinks=True):
        here = Path(folder)
        # A link to a folder above it would never end.
        folders[:] = sorted(each for each in folders if not here.is_relative_to((here / each).resolve()))
        yield from (here / name for name in sorted(names) if (here / name).is_file())


def is_copied(file: Path, target: Path) -> bool:
    """Whether the target has the size and time of the file: files of an image keep both, so neither is read."""
    if not target.is_file() or target.is_symlink():
        return False
    one, other = file.stat(), target.stat()
    return (one.st_size, int(one.st_mtime)) == (other.st_size, int(other.st_mtime))


def copy(source: Path, target: Path) -> tuple[int, int]:
    """Copy files; returns the numbers of copied files and of hard links. Each file is replaced atomically.

    Files of earlier images stay, because open pages name them.
    """
    source = source.resolve()
    real = {file: file.resolve() for file in files(source)}
    copied = linked = 0
    # Files first, because links need their copies. A file outside `source` is copied for each of its links.
    for file in sorted(real, key=lambda each: (real[each] != each, each)):
        target_file = target / file.relative_to(source)
        first = target / real[file].relative_to(source) if real[file].is_relative_to(source) else target_file
        if first == target_file:
            if is_copied(real[file], target_file):
                continue
            part = _part(target_file)
            shutil.copyfile(real[file], part)
            shutil.copystat(real[file], part)
            part.chmod(0o644)
            copied += 1
        else:
            if target_file.is_file() and target_file.samefile(first):
                continue
            part = _part(target_file)
            os.link(first, part)
            linked += 1
        part.replace(target_file)
    return copied, linked


def _part(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    return part


def main(source: Path, target: Path) -> int:
    """Copy, and print one line; returns the exit code."""
    try:
        copied, linked = copy(source, target)
    except OSError as error:
        print(f"lms-assets: {error.filename or target}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"lms-assets: {copied} files copied to {target}, {linked} links to them", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
