"""What is public in components/ and plugins/ says what it is, in which units, and what it raises."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What answers Pulumi's own requests is described there, and each type's verbs in plugins/resource.py.
OF_PULUMI = {"plugins/provider.py", "plugins/serving.py"}
VERBS = {"planned", "create", "imported", "read", "update", "delete"}
UNITS = {
    "memory": ("MiB", "bytes"),
    "size": ("MiB", "bytes"),
    "seconds": ("seconds",),
    "grace_seconds": ("seconds",),
    "timeout": ("seconds", "milliseconds"),
}

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public(body: list[ast.stmt]) -> Iterator[Definition]:
    """The public functions and classes of a module, and the methods of its classes."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


def definitions(room: str) -> list[tuple[str, Definition]]:
    """Those of a folder that are not described elsewhere, by their place."""
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node)
        for path in sorted((ROOT / room).rglob("*.py"))
        for node in public(ast.parse(path.read_text()).body)
        if str(path.relative_to(ROOT)) not in OF_PULUMI
        and (node.name not in VERBS or path.name == "resource.py")
    ]


def raised(node: Definition) -> set[str]:
    """The names of the exceptions that a function raises by itself, not in a function inside it."""
    names: set[str] = set()
    left: list[ast.AST] = [*node.body]
    while left:
        each = left.pop()
        if isinstance(each, Definition):
            continue
        if isinstance(each, ast.Raise) and isinstance(each.exc, ast.Call):
            names.add(ast.unparse(each.exc.func).rpartition(".")[2])
        left += [
            child for child in ast.iter_child_nodes(each) if isinstance(child, ast.stmt | ast.ExceptHandler)
        ]
    return names


def quantities(node: Definition) -> set[str]:
    """The parameters, or fields, that are an amount of something."""
    if isinstance(node, ast.ClassDef):
        names = {ast.unparse(each.target) for each in node.body if isinstance(each, ast.AnnAssign)}
    else:
        names = {each.arg for each in (*node.args.args, *node.args.kwonlyargs)}
    return names & set(UNITS)


@pytest.mark.parametrize("room", ["components", "plugins"])
def test_each_says_what_it_is(room: str) -> None:
    assert [place for place, node in definitions(room) if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("room", ["components", "plugins"])
def test_each_says_what_it_raises(room: str) -> None:
    """By the exception's own name, behind the word raises."""
    missing = {
        place: names
        for place, node in definitions(room)
        if not isinstance(node, ast.ClassDef)
        and (names := {each for each in raised(node) if each not in docstring(node).partition("aises ")[2]})
    }
    assert missing == {}


@pytest.mark.parametrize("room", ["components", "plugins"])
def test_each_says_its_units(room: str) -> None:
    missing = {
        place: names
        for place, node in definitions(room)
        if (
            names := {
                each for each in quantities(node) if not any(unit in docstring(node) for unit in UNITS[each])
            }
        )
    }
    assert missing == {}


def docstring(node: Definition) -> str:
    """Its docstring, empty where it has none."""
    return ast.get_docstring(node) or ""
