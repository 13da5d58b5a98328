"""docs/machine-readable.md names every key, exit code and label that the code makes."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.portal import labels
from toolchain import output

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "machine-readable.md").read_text(encoding="utf-8")
# `<!-- keys: FILE::FUNCTION … without: KEY … -->` above a table whose first column is the keys.
TABLE = re.compile(
    r"^<!-- keys: (?P<sources>.*?)(?: without: (?P<without>.*?))? -->\n\n(?P<rows>(?:\|.*\n)+)", re.M
)
TABLES = list(TABLE.finditer(PAGE))
# What prints JSON that others have made, and what makes none for `--json`.
HAND_ON = {
    "automation/commands/images.py::images_check",
    "automation/commands/onboarding.py::new",
    "automation/commands/portals.py::print_facts",
    "automation/commands/portals.py::status",
    "automation/commands/review.py::preview",
    "automation/commands/show.py::show",
    "automation/locks/record.py::Record.facts",
    "toolchain/command.py::_env",
    "toolchain/command.py::_setup",
}


def first_column(rows: str) -> list[str]:
    return [match[1] for line in rows.splitlines()[2:] if (match := re.match(r"\| `?([^`|]+?)`? \|", line))]


def section(title: str) -> list[str]:
    (rows,) = re.findall(rf"^## {title}\n\n(?:[^|\n].*\n\n)?((?:\|.*\n)+)", PAGE, re.M)
    return first_column(rows)


def definitions(path: Path) -> Iterator[tuple[str, ast.AST, ast.ClassDef | None]]:
    """Functions and classes of a file, with the class that they are in."""
    for each in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(each, ast.ClassDef):
            yield each.name, each, None
            for inner in each.body:
                if isinstance(inner, ast.FunctionDef):
                    yield f"{each.name}.{inner.name}", inner, each
        elif isinstance(each, ast.FunctionDef):
            yield each.name, each, None


def fields(of: ast.ClassDef) -> set[str]:
    return {
        each.target.id
        for each in of.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }


def keys(source: str) -> set[str]:
    """The keys of every mapping that a function writes down, and a dataclass's fields where it hands on all of them."""
    file, _, name = source.partition("::")
    by_name = {each: (node, of) for each, node, of in definitions(ROOT / file)}
    assert name in by_name, f"{source} is not there any more"
    node, of = by_name[name]
    if isinstance(node, ast.ClassDef):
        return fields(node)
    made = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Dict):
            made |= {
                key.value for key in each.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
            }
        elif isinstance(each, ast.Assign):
            (target, *_) = each.targets
            if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                made.add(str(target.slice.value))
        elif isinstance(each, ast.Call) and getattr(each.func, "id", "") == "asdict" and of is not None:
            made |= fields(of)
    return made


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table["sources"].split()[0])
def test_a_table_has_the_keys_that_its_functions_make(table: re.Match[str]) -> None:
    made = set().union(*(keys(each) for each in table["sources"].split()))
    without = {
        each.replace("_", " ") if each not in made else each for each in (table["without"] or "").split()
    }
    assert without <= made, "what the page leaves out is not made any more"
    listed = first_column(table["rows"])
    assert sorted(listed) == sorted(made - without)


def test_every_function_that_prints_json_is_on_the_page() -> None:
    """A new `--json` has to be described, or be named here as one that hands on another's."""
    named = {each for table in TABLES for each in table["sources"].split()}
    printing = set()
    for path in [
        *sorted((ROOT / "automation").rglob("*.py")),
        ROOT / "toolchain/command.py",
        ROOT / "preflight/obstacles.py",
    ]:
        for name, node, _ in definitions(path):
            calls = {ast.unparse(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}
            prints = bool(calls & {"show.show", "tell_json", "output.tell_json"})
            if isinstance(node, ast.FunctionDef) and (
                prints or name.rpartition(".")[2] in ("facts", "as_json")
            ):
                printing.add(f"{path.relative_to(ROOT)}::{name}")
    assert sorted(printing - named - HAND_ON) == []
    assert sorted(HAND_ON - printing) == []


def test_every_exit_code_is_on_the_page() -> None:
    """Those of the errors, of a preview, of `status`, and of what ends a program."""
    codes = {0, 1, 2, output.INTERRUPTED, output.NOBODY_READS}
    for package in ("automation", "toolchain"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for _, node, _ in definitions(path):
                if not isinstance(node, ast.ClassDef):
                    continue
                for each in node.body:
                    if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "exit_code":
                        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                        codes.add(getattr(importlib.import_module(module), node.name).exit_code)
    review = importlib.import_module("automation.review.tenant_review")
    codes |= {review.IMPOSSIBLE, review.DRIVE_AWAY, review.AT_RISK}
    assert section("Exit codes") == [str(each) for each in sorted(codes)]


def test_every_label_is_on_the_page() -> None:
    """Those of config/portal/labels.py, the one home of all."""
    known = {value for name, value in vars(labels).items() if name.isupper()}
    assert sorted(section("Labels")) == sorted(known)


def test_the_page_has_a_format_and_the_changelog_names_it() -> None:
    (number,) = re.findall(r"^Format: (\d+)$", PAGE, re.M)
    assert f"format {number} of [docs/machine-readable.md]" in (ROOT / "CHANGELOG.md").read_text(
        encoding="utf-8"
    )
