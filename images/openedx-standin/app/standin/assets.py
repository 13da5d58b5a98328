"""Copies the static files that the image's build collected to where nginx serves them."""

import filecmp
import shutil
import sys
from pathlib import Path


def copy(source: Path, target: Path) -> int:
    """Files copied. Each appears whole, by a rename; those of earlier releases stay, as open pages name them."""
    copied = 0
    for file in sorted(each for each in source.rglob("*") if each.is_file()):
        place = target / file.relative_to(source)
        if place.is_file() and filecmp.cmp(file, place, shallow=False):
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{place.name}.part")
        shutil.copyfile(file, part)
        part.replace(place)
        copied += 1
    return copied


def main(source: Path, target: Path) -> int:
    """Exit code; an unwritable target gives one line."""
    try:
        copied = copy(source, target)
    except OSError as error:
        print(f"lms-assets: {error.filename or target}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"lms-assets: {copied} files copied to {target}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
