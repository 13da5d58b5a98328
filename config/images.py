"""What the images built here are made of, and their references: names that change exactly when their makings do."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from config.reading import checkout
from config.reading.words import LONGEST_PATH, excerpt, quoted

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
    """The roles that have a folder with an `image.yml`, sorted; one that is a link to nothing counts, so that it is told."""
    declarations = (path / "image.yml" for path in folder.glob("*"))
    return sorted(path.parent.name for path in declarations if path.is_symlink() or path.exists())


def recipe(role: str, folder: Path) -> Recipe:
    """Read `<folder>/<role>/image.yml`. Raises ImageError."""
    path = folder / role / "image.yml"
    where = f"images/{role}/image.yml"
    if _ROLE.fullmatch(role):
        _refuse(path, folder)
    if not _ROLE.fullmatch(role) or not path.is_file():
        known = ", ".join(roles(folder)) or "none"
        raise ImageError(f"{where}: there is no image of the role {quoted(role)}; known are: {known}")
    try:
        declared = yaml.safe_load(content(path, folder).decode("utf-8"))
    except UnicodeDecodeError:
        raise ImageError(f"{where}: is not text, expected UTF-8") from None
    except yaml.MarkedYAMLError as error:
        # Its own text has lines of the file in it.
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ImageError(f"{where}: is not YAML: line {line}: {excerpt(error.problem or '')}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ImageError(f"{where}: is not YAML: {excerpt(' '.join(str(error).split()))}") from None
    if not isinstance(declared, dict):
        raise ImageError(f"{where}: should be a mapping, for example 'parent: base'")
    unknown = sorted(set(map(str, declared)) - {"parent", "uses", "wheels", "jars", "packages"})
    if unknown:
        raise ImageError(
            f"{where}: {excerpt(unknown[0])}: is not known; known are: parent, uses, wheels, jars, packages"
        )
    parent = _text(declared, "parent", where)
    if (parent is None) != (role == "base"):
        raise ImageError(f"{where}: parent: every role but 'base' needs one, for example 'parent: base'")
    return Recipe(
        role=role,
        parent=parent,
        uses=_texts(declared, "uses", where),
        wheels=_file(declared, "wheels", role, folder),
        jars=_file(declared, "jars", role, folder),
        packages=_texts(declared, "packages", where),
    )


def recipes(folder: Path) -> dict[str, Recipe]:
    """Every role's recipe, those an image needs before the image itself. Raises ImageError."""
    by_role = {role: recipe(role, folder) for role in roles(folder)}
    ordered: dict[str, Recipe] = {}

    def visit(role: str, path: tuple[str, ...]) -> None:
        if role in path:
            raise ImageError(f"images/{role}/image.yml: is its own parent: {' -> '.join((*path, role))}")
        if role not in by_role:
            raise ImageError(
                f"images/{path[-1]}/image.yml: {quoted(role)} is not a role; known are: {', '.join(by_role)}"
            )
        for need in by_role[role].needs:
            visit(need, (*path, role))
        ordered.setdefault(role, by_role[role])

    for role in by_role:
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
    """The files of a role that count, in the order of their names on every machine.

    Raises ImageError for a symbolic link that leads out of the checkout: it would put a file of this machine into the image.
    """
    home = folder / role
    _refuse(home, folder)
    paths = []
    for path in home.rglob("*"):
        if path.suffix in _SKIPPED_SUFFIXES or _SKIPPED_FOLDERS.intersection(
            path.relative_to(home).parts[:-1]
        ):
            continue
        if path.is_symlink():
            _refuse(path, folder)
        if path.is_file():
            paths.append(path)
    return sorted(paths, key=lambda path: path.relative_to(home).as_posix())


def content(path: Path, folder: Path) -> bytes:
    """The bytes of a file below `folder`, which lies in the checkout. Raises ImageError."""
    try:
        return checkout.read(path, folder.parent)
    except (checkout.Outside, OSError) as error:
        raise ImageError(f"{_shown(path, folder)}: cannot be read: {checkout.error_text(error)}") from None


def _refuse(path: Path, folder: Path) -> None:
    reason = checkout.refusal(path, folder.parent)
    if reason:
        raise ImageError(f"{_shown(path, folder)}: cannot be read: {reason}")


def _shown(path: Path, folder: Path) -> str:
    return excerpt(f"images/{path.relative_to(folder).as_posix()}", LONGEST_PATH)


def executable(path: Path) -> bool:
    """The one bit of a file's mode that git keeps, and so the only one that may count."""
    return bool(path.stat().st_mode & 0o100)


def digest(role: str, folder: Path, needs: Mapping[str, str]) -> str:
    """The SHA-256 of a role's files and of the references it needs, in hex."""
    total = hashlib.sha256()
    for need, known in sorted(needs.items()):
        total.update(f"needs {need} {known}\n".encode())
    for path in files(role, folder):
        digested = hashlib.sha256(content(path, folder)).hexdigest()
        mode = "x" if executable(path) else "-"
        # A name may be any bytes.
        name = os.fsencode(path.relative_to(folder / role).as_posix())
        total.update(f"{mode} {digested} ".encode() + name + b"\n")
    return total.hexdigest()


def _reference(role: str, folder: Path, needs: Mapping[str, str]) -> str:
    return f"{PREFIX}{role}:{digest(role, folder, needs)[:16]}"


def _text(mapping: Mapping[str, object], key: str, where: str) -> str | None:
    value = mapping.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise ImageError(f"{where}: {key}: should be a text")
    return value


def _file(mapping: Mapping[str, object], key: str, role: str, folder: Path) -> str | None:
    where = f"images/{role}/image.yml"
    value = _text(mapping, key, where)
    reason = checkout.refusal(folder / role / value, folder.parent) if value else ""
    if reason:
        raise ImageError(f"{where}: {key}: cannot be read: {reason}")
    return value


def _texts(mapping: Mapping[str, object], key: str, where: str) -> tuple[str, ...]:
    value = mapping.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ImageError(f"{where}: {key}: should be a list of texts, for example '[python]'")
    return tuple(value)
