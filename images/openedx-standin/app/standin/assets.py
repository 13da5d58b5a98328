"""Copies the static files that the image's build collected to where nginx serves them."""

import filecmp
import shutil
import sys
from pathlib import Path


def copy(source: Path, target: Path) -> int:
    """Copy files; returns how many. Each is replaced atomically. Files of earlier releases stay, because open pages name them."""
    copied = 0
    for file in sorted(each for each in source.rglob("*") if each.is_file()):
        target_file = target / file.relative_to(source)
        if target_file.is_file() and filecmp.cmp(file, target_file, shallow=False):
            continue
        target_file.parent.mkdir(parents=True, exist_ok=True)
        part = target_file.with_name(f".{target_file.name}.part")
        shutil.copyfile(file, part)
        part.replace(target_file)
        copied += 1
    return copied


def main(source: Path, target: Path) -> int:
    """Copy, and print one line; returns the exit code."""
    try:
        copied = copy(source, target)
    except OSError as error:
        print(f"lms-assets: {error.filename or target}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"lms-assets: {copied} files copied to {target}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
