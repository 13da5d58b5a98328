"""Copies the static files that the public image's build collected to where nginx serves them.

Most of them are links to another of them, by absolute paths, as equal files were made one: each becomes a second name of
the copy, which nginx serves like any file and which takes no space.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path


def files(source: Path) -> Iterator[Path]:
    """Every file by every name it has, those behind links to folders too."""
    for folder, folders, names in os.walk(source, followlinks=True):
        here = Path(folder)
        # A link to a folder above it has no end.
        folders[:] = sorted(each for each in folders if not here.is_relative_to((here / each).resolve()))
        yield from (here / name for name in sorted(names) if (here / name).is_file())


def same(file: Path, place: Path) -> bool:
    """Whether the copy is of this file, without reading either: an image's files keep size and age."""
    if not place.is_file() or place.is_symlink():
        return False
    one, other = file.stat(), place.stat()
    return (one.st_size, int(one.st_mtime)) == (other.st_size, int(other.st_mtime))


def copy(source: Path, target: Path) -> tuple[int, int]:
    """Files copied and names made. Each appears whole, by a rename; those of earlier images stay, as open pages name them."""
    source = source.resolve()
    real = {file: file.resolve() for file in files(source)}
    copied = linked = 0
    # Files first: links are to their copies. What a link reaches outside is copied by each name.
    for file in sorted(real, key=lambda each: (real[each] != each, each)):
        place = target / file.relative_to(source)
        first = target / real[file].relative_to(source) if real[file].is_relative_to(source) else place
        if first == place:
            if same(real[file], place):
                continue
            part = _part(place)
            shutil.copyfile(real[file], part)
            shutil.copystat(real[file], part)
            part.chmod(0o644)
            copied += 1
        else:
            if place.is_file() and place.samefile(first):
                continue
            part = _part(place)
            os.link(first, part)
            linked += 1
        part.replace(place)
    return copied, linked


def _part(place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f".{place.name}.part")
    part.unlink(missing_ok=True)
    return part


def main(source: Path, target: Path) -> int:
    """Exit code; an unwritable target gives one line."""
    try:
        copied, linked = copy(source, target)
    except OSError as error:
        print(f"lms-assets: {error.filename or target}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"lms-assets: {copied} files copied to {target}, {linked} more names for them", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
