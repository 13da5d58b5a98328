"""CONTRIBUTING's map names every file of source once, and none that is gone."""

import ast
from collections.abc import Iterable
from pathlib import PurePosixPath

from tests import source
from tests.source import ROOT, MapFolder

# What the map need not name: a test of one module lies where tests/contract/test_mirror.py says.
MIRROR = "tests/unit/"
# Written by commands, into whichever checkout they are run.
WRITTEN = frozenset({"config/pins.yml"})


def belongs_on_the_map(file: str) -> bool:
    """Whether the map has to name a file."""
    name = PurePosixPath(file).name
    if file in WRITTEN:
        return False
    if name == "__init__.py":
        return bool(code(file))
    return not (file.startswith(MIRROR) and name.startswith("test_"))


def code(file: str) -> list[ast.stmt]:
    """What a module has besides its docstring."""
    body = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
    return [
        each for each in body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
    ]


def faults(folders: Iterable[MapFolder], files: Iterable[str]) -> list[str]:
    """What the map does not name, names twice, or names though it is gone."""
    folders = list(folders)
    lines_by_file: dict[str, list[str]] = {file: [] for file in files}
    used: set[tuple[int, str]] = set()
    for number, folder in enumerate(folders):
        for file, names in lines_by_file.items():
            for each in folder.matching_names(file):
                names.append(f"{folder.path}{each}")
                used.add((number, each))
    return [
        *(
            f"missing: {file}"
            for file, names in lines_by_file.items()
            if not names and belongs_on_the_map(file)
        ),
        *(f"twice: {file}" for file, names in lines_by_file.items() if len(names) > 1),
        *(
            f"gone: {folder.path}{each}"
            for number, folder in enumerate(folders)
            for each in folder.names
            if (number, each) not in used
        ),
    ]


def test_the_map_names_every_file_once() -> None:
    assert faults((folder for each in source.package_map() for folder in each.folders), source.files()) == []


def test_what_is_wrong_with_a_map_is_found() -> None:
    folders = [
        MapFolder(path="portal/", about="", names=("a.py", "b.py")),
        MapFolder(path="portal/", about="", names=("*.py", "data/")),
    ]
    files = ["portal/a.py", "portal/c.txt", "portal/data/deep/d.txt"]
    assert faults(folders, files) == ["missing: portal/c.txt", "twice: portal/a.py", "gone: portal/b.py"]


def test_the_map_s_folders_are_there() -> None:
    for package in source.package_map():
        for folder in package.folders:
            assert (ROOT / folder.path).is_dir(), folder.path


def test_the_glossary_has_at_most_thirty_words() -> None:
    """A reader learns them all; a row may have two that belong together."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    glossary = page.partition("\n## Glossary\n")[2].partition("\n## ")[0]
    rows = [line for line in glossary.splitlines() if line.startswith("| ")]
    assert 1 < len(rows) <= 1 + 30
