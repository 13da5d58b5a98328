"""The test of `<folder>/<module>.py` is `tests/unit/<folder>/test_<module>.py`; tests/unit/untested.yml says which have none, and why."""

import re
from collections import Counter
from pathlib import PurePosixPath
from typing import Any

import yaml

from tests import source
from tests.source import ROOT

LIST = ROOT / "tests" / "unit" / "untested.yml"
PACKAGES = (
    *("automation", "benchmarks", "components", "config", "images"),
    *("plugins", "policies", "preflight", "testbed", "toolchain"),
)


def home(file: str) -> str:
    """The folder where the tests of a file lie: one for a whole image, and that of tests/ itself without its name."""
    path = PurePosixPath(file)
    if path.parts[0] == "images":
        return f"tests/unit/images/{path.parts[1].replace('-', '_')}"
    if path.parts[0] == "tests":
        return f"tests/unit/{PurePosixPath(*path.parts[1:]).parent}"
    return f"tests/unit/{path.parent}"


def untested(files: set[str]) -> list[str]:
    """The modules that have no test file of their name."""
    modules = [each for each in files if each.endswith(".py") and each.split("/")[0] in PACKAGES]
    return sorted(
        each
        for each in modules
        if PurePosixPath(each).stem != "__init__"
        and f"{home(each)}/test_{PurePosixPath(each).stem}.py" not in files
    )


def astray(files: set[str]) -> list[str]:
    """The tests of modules that are gone, were renamed, or lie elsewhere.

    A module may have several, `test_<module>_<aspect>.py`. Of pages and workflows, and inside an image's folder, names are free.
    """
    homes = {(home(each), PurePosixPath(each).stem) for each in files if not each.startswith("tests/unit/")}
    images = {folder for folder, _ in homes if folder.startswith("tests/unit/images/")}

    def right(test: str) -> bool:
        path = PurePosixPath(test)
        words = path.stem.removeprefix("test_").split("_")
        names = ["_".join(words[:count]) for count in range(1, len(words) + 1)]
        return str(path.parent) in images or any((str(path.parent), each) in homes for each in names)

    return [
        each
        for each in sorted(files)
        if each.startswith("tests/unit/")
        and PurePosixPath(each).name.startswith("test_")
        and not each.startswith("tests/unit/docs/")
        and not right(each)
    ]


def listed() -> list[tuple[str, str]]:
    """Each entry of the list with its reason; a folder stands for all that is in it."""
    entries: list[dict[str, Any]] = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    return [(module, each["reason"]) for each in entries for module in each["modules"]]


def covers(entry: str, module: str) -> bool:
    """Whether an entry of the list speaks of a module."""
    return module.startswith(entry) if entry.endswith("/") else module == entry


def test_every_module_has_a_test_file_or_a_reason() -> None:
    entries = [entry for entry, _ in listed()]
    lacking = [
        each for each in untested(set(source.files())) if not any(covers(entry, each) for entry in entries)
    ]
    assert lacking == []


def test_no_entry_is_stale() -> None:
    """Neither of a module that is gone, nor of one that has got its test, nor said twice."""
    without_test, entries = untested(set(source.files())), [entry for entry, _ in listed()]
    assert [entry for entry in entries if not any(covers(entry, each) for each in without_test)] == []
    assert [entry for entry, count in Counter(entries).items() if count > 1] == []


def test_reasons_name_tests_that_there_are() -> None:
    for entry, reason in listed():
        named = re.findall(r"tests/[\w/.-]*\w", reason)
        assert named or "no test" in reason, entry
        assert [path for path in named if not (ROOT / path).exists()] == [], entry


def test_tests_of_modules_lie_where_their_module_does() -> None:
    assert astray(set(source.files())) == []


def test_what_is_amiss_is_found() -> None:
    files = {
        *("config/a.py", "config/b.py", "images/mail-sink/app/sink/page.py", "components/health.sh"),
        *("tests/unit/config/test_a.py", "tests/unit/config/test_a_by_property.py"),
        *("tests/unit/config/test_gone.py", "tests/unit/test_b.py", "tests/unit/components/test_health.py"),
        "tests/unit/images/mail_sink/test_anything.py",
    }
    assert untested(files) == ["config/b.py", "images/mail-sink/app/sink/page.py"]
    assert astray(files) == ["tests/unit/config/test_gone.py", "tests/unit/test_b.py"]
