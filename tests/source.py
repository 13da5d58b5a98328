"""The repository's own source: its files, which file imports which, and the map of them in CONTRIBUTING.md."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
# What has a dot in front is a tool's own, but for these.
DOTTED = (".ci", ".github")
LEFT_BY_TOOLS = ("__pycache__", "node_modules")
# `  name    what it does`, and `folder/    what is in it` above.
LINE = re.compile(r"(  )?(\S+)(?: +(.+))?")


@dataclass(frozen=True, kw_only=True)
class MapFolder:
    """A folder's files in the map, which may come in several pieces: what stands on others comes later.

    `about` is what the map says of it. `names` are file names, patterns of them, or folders (with a slash), which the map
    does not open.
    """

    path: str
    about: str
    names: tuple[str, ...]

    def matching_names(self, file: str) -> list[str]:
        """The names that a file has here."""
        if not file.startswith(self.path):
            return []
        rest = file.removeprefix(self.path)
        return [
            each
            for each in self.names
            if (rest.startswith(each) if each.endswith("/") else "/" not in rest and fnmatchcase(rest, each))
        ]


@dataclass(frozen=True, kw_only=True)
class Package:
    """One heading of the map: the folders whose files it may import besides its own, and its folders in order."""

    name: str
    imports: tuple[str, ...]
    folders: tuple[MapFolder, ...]


def files() -> list[str]:
    """Every file of the checkout that people write, by its path from the root."""
    return sorted(_below(ROOT))


def _below(folder: Path) -> Iterator[str]:
    for each in folder.iterdir():
        hidden = each.name.startswith(".") and each.name not in DOTTED
        if hidden or each.name in LEFT_BY_TOOLS or each.is_symlink():
            continue
        if each.is_dir():
            yield from _below(each)
        else:
            yield each.relative_to(ROOT).as_posix()


def python(file: str) -> bool:
    """Whether a file is Python, by its name or its first line."""
    if PurePosixPath(file).suffix:
        return file.endswith(".py")
    with (ROOT / file).open("rb") as opened:
        first = opened.readline(100)
    return first.startswith(b"#!") and b"python" in first


def package_map() -> tuple[Package, ...]:
    """The map as CONTRIBUTING.md has it."""
    _, _, page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("\n## Map\n")
    page = page.partition("\n## ")[0]
    entries = []
    for section in page.split("\n### ")[1:]:
        name, _, rest = section.partition("\n")
        sentence = re.search(r"\bImports (.+?)\.\s", rest)
        assert sentence, f"the map says of {name} not what it imports"
        lines = [line for block in rest.split("```")[1::2] for line in block.splitlines() if line]
        entries.append(
            Package(
                name=name,
                imports=tuple(re.findall(r"`([^`]+)`", sentence[1])),
                folders=tuple(_folders(lines)),
            )
        )
    return tuple(entries)


def _folders(lines: list[str]) -> Iterator[MapFolder]:
    folder, about, names = "", "", list[str]()
    for line in lines:
        line_match = LINE.fullmatch(line)
        assert line_match, f"the map's line {line!r} is neither a folder nor a file"
        assert line_match[3], f"the map says nothing of {line_match[2]}"
        if line_match[1]:
            names.append(line_match[2])
            continue
        if folder or names:
            yield MapFolder(path=folder, about=about, names=tuple(names))
        folder, about, names = line_match[2].removeprefix("./"), line_match[3], []
    yield MapFolder(path=folder, about=about, names=tuple(names))


def imports(sources: list[str]) -> dict[str, set[str]]:
    """Which of these files each imports, also for types alone and inside functions.

    A package's `__init__.py` counts where something of it is asked for, not where Python runs it on the way to a module.
    """
    modules: dict[str, dict[str, str]] = {}
    for file in sources:
        root, name = module(file)
        modules.setdefault(root, {})[name] = file
    return {file: set(_imported(file, modules[module(file)[0]])) for file in sources}


def module(file: str) -> tuple[str, str]:
    """The folder from which a file is imported, and its name there: an image knows its own files alone."""
    parts = PurePosixPath(file).with_suffix("").parts
    depth = 0
    if parts[0] == "images":
        depth = 3 if parts[2] == "app" else 2
    name = [each for each in parts[depth:] if each != "__init__"]
    return "/".join(parts[:depth]), ".".join(name)


def _imported(file: str, known: Mapping[str, str]) -> Iterator[str]:
    name = module(file)[1]
    package = name if file.endswith("__init__.py") else name.rpartition(".")[0]
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"), file)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{each.name}" for each in node.names]
        for each in names:
            while each and each not in known:
                each = each.rpartition(".")[0]
            if each and known[each] != file:
                yield known[each]
