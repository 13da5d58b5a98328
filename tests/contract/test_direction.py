"""One direction, and no circle: who may import whom is what the map in CONTRIBUTING.md says."""

from graphlib import CycleError, TopologicalSorter

import pytest

from tests import source
from tests.source import Package

SIBLINGS = "none imports another"


def against(packages: tuple[Package, ...], graph: dict[str, set[str]]) -> list[str]:
    """The imports that go another way than the map has it."""
    at = {file: place(file, packages) for file in graph}
    wrong = []
    for file, imports in sorted(graph.items()):
        for each in sorted(imports):
            (own, here), (other, there) = at[file], at[each]
            if own is not other:
                if not any(each == name or each.startswith(name) for name in own.imports):
                    wrong.append(
                        f"{file} imports {each}, and {own.name} may import {own.imports or 'no other'}"
                    )
            elif there > here:
                wrong.append(f"{file} imports {each}, which stands on it")
            elif there == here and SIBLINGS in own.folders[here].about:
                wrong.append(f"{file} imports {each}, its sibling")
    return wrong


def place(file: str, packages: tuple[Package, ...]) -> tuple[Package, int]:
    """A file's package, and which of its folders is the file's: what is not named belongs to the nearest folder that is."""
    folders = [(package, number) for package in packages for number in range(len(package.folders))]
    for package, number in folders:
        if package.folders[number].matching_names(file):
            return package, number
    around = [each for each in folders if file.startswith(each[0].folders[each[1]].path)]
    return max(around, key=lambda each: len(each[0].folders[each[1]].path))


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Files that import each other in a ring; empty where there are none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    """Which file imports which, of all Python of the repository."""
    return source.imports([each for each in source.files() if source.python(each)])


def test_no_files_import_each_other(graph: dict[str, set[str]]) -> None:
    assert circle(graph) == []


def test_imports_go_the_map_s_way(graph: dict[str, set[str]]) -> None:
    assert len(graph) > 400
    assert against(source.package_map(), graph) == []


def test_a_package_imports_those_above_it_in_the_map() -> None:
    packages = source.package_map()
    for number, package in enumerate(packages):
        above = tuple(folder.path or "__main__.py" for each in packages[:number] for folder in each.folders)
        for name in package.imports:
            assert any(each.startswith(name) or name.startswith(each) for each in above), (package.name, name)


# What the two above would say, so that their silence means something.


def small(*names: str, about: str = "", imports: tuple[str, ...] = ()) -> Package:
    """A package of the map with one folder a name."""
    folders = tuple(source.MapFolder(path=f"{names[0]}/", about=about, names=(each,)) for each in names[1:])
    return Package(name=names[0], imports=imports, folders=folders)


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) in (["b", "c", "b"], ["c", "b", "c"])


def test_an_import_against_the_order_is_found() -> None:
    packages = (small("low", "a.py", "b.py"), small("high", "c.py", imports=("low/",)))
    good = {"low/b.py": {"low/a.py"}, "high/c.py": {"low/b.py"}, "low/a.py": set[str]()}
    assert against(packages, good) == []
    assert len(against(packages, {**good, "low/a.py": {"low/b.py", "high/c.py"}})) == 2


def test_siblings_that_import_each_other_are_found() -> None:
    folder = source.MapFolder(path="low/", about=f"two; {SIBLINGS}", names=("a.py", "b.py"))
    packages = (Package(name="low", imports=(), folders=(folder,)),)
    assert len(against(packages, {"low/b.py": {"low/a.py"}, "low/a.py": set()})) == 1


def test_imports_of_every_kind_are_seen() -> None:
    """For types alone, inside a function, of a whole package, and from a place beside: files that are known to have them."""
    graph = source.imports([each for each in source.files() if source.python(each)])
    assert "automation/api.py" in graph["automation/__init__.py"]
    assert "automation/runs/automation_api.py" in graph["automation/portals/preview.py"]
    assert "automation/images/__init__.py" in graph["automation/portals/image_supply.py"]
    assert "images/mail-sink/app/sink/store.py" in graph["images/mail-sink/app/sink/page.py"]
    assert "policies/house/rules.py" in graph["policies/house/pack"]
