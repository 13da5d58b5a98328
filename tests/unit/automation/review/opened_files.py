"""Which files of the repository the program of a tenant opens, and what it asks for.

`python -m tests.unit.automation.review.opened_files TENANT RELEASE` prints both as JSON; the release of public images, or `-` for the file's own.
"""

import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
opened: set[str] = set()


def hear(event: str, words: tuple[object, ...]) -> None:
    """An audit hook: https://docs.python.org/3/library/audit_events.html."""
    if event == "open" and isinstance(words[0], str | os.PathLike):
        opened.add(os.fspath(words[0]))


def opened_paths() -> list[str]:
    """What was opened in the repository, as the paths that were followed: each link, and where it leads."""
    paths = set()
    for each in opened:
        path = Path(importlib.util.source_from_cache(each) if each.endswith(".pyc") else each).absolute()
        while path.is_relative_to(ROOT):
            paths.add(path.relative_to(ROOT).as_posix())
            if not path.is_symlink():
                break
            path = Path(os.path.normpath(path.parent / path.readlink()))
        real = path.resolve()
        if real.is_relative_to(ROOT):
            paths.add(real.relative_to(ROOT).as_posix())
    # The recording's own modules; data of the tests stays, for no plan is to be made from it.
    own = {
        Path(each.__file__).relative_to(ROOT).as_posix()
        for name, each in sys.modules.items()
        if name.split(".")[0] == "tests" and each.__file__
    }
    return sorted(paths - own - {Path(__file__).relative_to(ROOT).as_posix()})


def main(tenant: str, release: str) -> None:
    """Record the program of one tenant."""
    sys.addaudithook(hear)
    from tests.programs import planned, portal, released

    with tempfile.TemporaryDirectory() as folder:
        made = portal(tenant) if release == "-" else planned(released(tenant, release, Path(folder)))
    plan = {urn: each.inputs for urn, each in zip(made.urns, made.plan, strict=True)}
    print(json.dumps({"opened": opened_paths(), "plan": plan}))


if __name__ == "__main__":
    main(*sys.argv[1:])
