"""The tar file that the engine builds from."""

import os
import shutil
import tarfile
from pathlib import Path

from automation.images.context import context


def test_the_context_is_the_same_for_the_same_files(image_folder: Path) -> None:
    extra = image_folder.parent / "wheels"
    extra.mkdir(exist_ok=True)
    (extra / "a.whl").write_bytes(b"a")
    entry = image_folder / "search" / "entry"
    entry.write_text("#!/bin/sh\n")
    entry.chmod(0o775)
    with context("search", image_folder, {"wheels": extra}) as first:
        content = first.read()
    os.utime(entry, (1, 1))
    with context("search", image_folder, {"wheels": extra}) as second:
        assert second.read() == content
        second.seek(0)
        with tarfile.open(fileobj=second) as tar:
            modes = {member.name: member.mode for member in tar}
    shutil.rmtree(extra)
    assert modes == {"Dockerfile": 0o644, "entry": 0o755, "image.yml": 0o644, "wheels/a.whl": 0o644}
