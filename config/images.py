"""What the images built here are made of, and their references: names that change exactly when their makings do."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

PREFIX = "portals/"
_ROLE = re.compile(r"[a-z][a-z0-9-]*")
# What a test run or an editor may leave in a folder, and what never reaches an image.
_SKIPPED_FOLDERS = frozenset({"__pycache__", "tests", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
_SKIPPED_SUFFIXES = frozenset({".pyc", ".swp"})


class ImageError(Exception):
    """A folder of `images/` does not say how its image is made; the text names the file and the finding."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What `images/<role>/image.yml` says."""

    role: str
    parent: str | None
    """The role that the image stands on (build argument BASE); only `base` has none."""
    uses: tuple[str, ...]
    """Roles that its build takes files from (build arguments named after them: `python` → PYTHON)."""
    wheels: str | None
    """A requirements file; its wheels are laid into the build's `wheels/`."""
    jars: str | None
    """A Maven project file; its dependencies are laid into the build's `jars/`."""
    packages: tuple[str, ...]
    """Debian packages of the root file system; for `base` only."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The roles whose images must be there first."""
        return tuple(sorted({*self.uses, *([self.parent] if self.parent else [])}))


def roles(folder: Path) -> list[str]:
    """The roles that have a folder with an `image.yml`, sorted."""
    return sorted(path.parent.name for path in folder.glob("*/image.yml"))


def recipe(role: str, folder: Path) -> Recipe:
    """Read `<folder>/<role>/image.yml`. Raises ImageError."""
    path = folder / role / "image.yml"
    where = f"images/{role}/image.yml"
    if not _ROLE.fullmatch(role) or not path.is_file():
        known = ", ".join(roles(folder)) or "none"
        raise ImageError(f"{where}: there is no image of the role {role!r}; known are: {known}")
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ImageError(f"{where}: is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(said, dict):
        raise ImageError(f"{where}: should be a mapping, for example 'parent: base'")
    unknown = sorted(set(map(str, said)) - {"parent", "uses", "wheels", "jars", "packages"})
    if unknown:
        raise ImageError(
            f"{where}: {unknown[0]}: is not known; known are: parent, uses, wheels, jars, packages"
        )
    parent = _text(said, "parent", where)
    if (parent is None) != (role == "base"):
        raise ImageError(f"{where}: parent: every role but 'base' names one, for example 'parent: base'")
    return Recipe(
        role=role,
        parent=parent,
        uses=_texts(said, "uses", where),
        wheels=_text(said, "wheels", where),
        jars=_text(said, "jars", where),
        packages=_texts(said, "packages", where),
    )


def recipes(folder: Path) -> dict[str, Recipe]:
    """Every role's recipe, those an image needs before the image itself. Raises ImageError."""
    said = {role: recipe(role, folder) for role in roles(folder)}
    ordered: dict[str, Recipe] = {}

    def visit(role: str, path: tuple[str, ...]) -> None:
        if role in path:
            raise ImageError(f"images/{role}/image.yml: stands on itself: {' -> '.join((*path, role))}")
        if role not in said:
            raise ImageError(
                f"images/{path[-1]}/image.yml: {role!r} is not a role; known are: {', '.join(said)}"
            )
        for need in said[role].needs:
            visit(need, (*path, role))
        ordered.setdefault(role, said[role])

    for role in said:
        visit(role, ())
    return ordered


def references(folder: Path) -> dict[str, str]:
    """Every role's reference, `portals/<role>:<16 hex digits>`. Raises ImageError."""
    known: dict[str, str] = {}
    for role, made_of in recipes(folder).items():
        known[role] = _reference(role, folder, {need: known[need] for need in made_of.needs})
    return dict(sorted(known.items()))


def reference(role: str, folder: Path) -> str:
    """One role's reference. Raises ImageError."""
    made_of = recipe(role, folder)
    known = references(folder)
    return known[made_of.role]


def files(role: str, folder: Path) -> list[Path]:
    """The files of a role that count, in the order of their names on every machine."""
    home = folder / role
    found = [
        path
        for path in home.rglob("*")
        if path.is_file()
        and path.suffix not in _SKIPPED_SUFFIXES
        and not _SKIPPED_FOLDERS.intersection(path.relative_to(home).parts[:-1])
    ]
    return sorted(found, key=lambda path: path.relative_to(home).as_posix())


def executable(path: Path) -> bool:
    """The one bit of a file's mode that git keeps, and so the only one that may count."""
    return bool(path.stat().st_mode & 0o100)


def digest(role: str, folder: Path, needs: Mapping[str, str]) -> str:
    """The SHA-256 of a role's files and of the references it needs, in hex."""
    total = hashlib.sha256()
    for need, known in sorted(needs.items()):
        total.update(f"needs {need} {known}\n".encode())
    for path in files(role, folder):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        mode = "x" if executable(path) else "-"
        total.update(f"{mode} {content} {path.relative_to(folder / role).as_posix()}\n".encode())
    return total.hexdigest()


def _reference(role: str, folder: Path, needs: Mapping[str, str]) -> str:
    return f"{PREFIX}{role}:{digest(role, folder, needs)[:16]}"


def _text(said: Mapping[str, object], key: str, where: str) -> str | None:
    value = said.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise ImageError(f"{where}: {key}: should be a text")
    return value


def _texts(said: Mapping[str, object], key: str, where: str) -> tuple[str, ...]:
    value = said.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ImageError(f"{where}: {key}: should be a list of texts, for example '[python]'")
    return tuple(value)
