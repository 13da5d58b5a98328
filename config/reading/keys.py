"""The keys of a file as the fields of a dataclass: one place for a key's type, check, manual and example.

A field with a Key in its metadata is a key; a field whose type is a dataclass is a section of keys; any other
field is not in the file. A field's default is the key's default; without one the key is required.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, get_type_hints

from config.reading.errors import Findings
from config.reading.nodes import Node, Scalar, Section, Series, join
from config.reading.words import comma_separated, did_you_mean, quoted

T = TypeVar("T")

# Beyond it the file is no tenant file, and looking for near words takes time.
_MOST_UNKNOWN = 20
# Not `010`, `0x1F`, `8_080` or `22:22`, which YAML takes for numbers that people do not see in them.
_PLAIN = re.compile(r"-?(0|[1-9][0-9]{0,17})")


@dataclass(frozen=True, kw_only=True)
class Key:
    """What a key may be. `check` returns the value to use, or raises ValueError with what is wrong with it."""

    kind: str
    check: Callable[[Any], Any]
    doc: str
    example: str | int
    # In the file's terms, for a field whose value is of another kind.
    default: str | None = None

    @property
    def expected(self) -> str:
        """As a finding says it: `text, for example 'x'`."""
        return f"{self.kind}, for example {self.shown}"

    @property
    def shown(self) -> str:
        """The example as it would stand in a file."""
        return f"'{self.example}'" if self.kind == "text" else str(self.example)


def text(check: Callable[[str], Any], doc: str, example: str, default: str | None = None) -> dict[str, Key]:
    """Metadata of a field that is text in the file."""
    return {"key": Key(kind="text", check=check, doc=doc, example=example, default=default)}


def number(check: Callable[[int], Any], doc: str, example: int) -> dict[str, Key]:
    """Metadata of a field that is a whole number in the file."""
    return {"key": Key(kind="a number", check=check, doc=doc, example=example)}


def texts(check: Callable[[str], Any], doc: str, example: str) -> dict[str, Key]:
    """Metadata of a field that is a list of texts in the file; `check` is of one of them."""
    return {"key": Key(kind="a list", check=check, doc=doc, example=example)}


def each(doc: str, example: str) -> dict[str, Key]:
    """Metadata of a field whose keys are names, with a section each; its owner reads them by `Reading.named`."""
    return {"key": Key(kind="keys", check=str, doc=doc, example=example)}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A field of a dataclass as a key of a file: either has a `key`, or is a `section`."""

    key: Key | None
    section: type[Any] | None
    default: Any

    @property
    def required(self) -> bool:
        """Whether the file has to say it."""
        return self.section is None and self.default is MISSING


def entries(cls: Any) -> Mapping[str, Entry]:
    """The keys that a dataclass describes, in its order."""
    return _entries(cls)


@cache
def _entries(cls: Any) -> Mapping[str, Entry]:
    # Python evaluates a class's annotations anew each time: half of the time of reading a thousand tenants.
    hints = get_type_hints(cls)
    keys_by_name = {}
    for field in fields(cls):
        key = field.metadata.get("key")
        section = hints[field.name] if key is None and is_dataclass(hints[field.name]) else None
        if key or section:
            default = field.default if key is None or key.default is None else key.default
            if field.default_factory is not MISSING:
                default = field.default_factory()
            keys_by_name[field.name] = Entry(key=key, section=section, default=default)
    return keys_by_name


def example_line(cls: type[Any]) -> str:
    """The first key of a section as it would stand in a file."""
    return next(f"{name}: {entry.key.example}" for name, entry in entries(cls).items() if entry.key)


def build(cls: type[T], values: Mapping[str, Any], path: str = "", **more: Any) -> T:
    """The dataclass of values by path (`hosts/lms`); `more` are its fields that are not in the file."""
    made = dict(more)
    for name, entry in entries(cls).items():
        here = join(path, name)
        if name not in more:
            made[name] = build(entry.section, values, here) if entry.section else values[here]
    return cls(**made)


class Reading:
    """Reads one file: `values` holds what is good, by path; the rest is among the findings."""

    def __init__(self, file: str) -> None:
        self.findings = Findings(file)
        self.values: dict[str, Any] = {}
        self.lines: dict[str, int] = {}

    def line(self, path: str) -> int:
        """Where a key stands, or the nearest section above it, else 0."""
        while path and path not in self.lines:
            path = path.rpartition("/")[0]
        return self.lines.get(path, 0)

    def wrong(self, path: str, reason: str) -> None:
        """Notes a finding at a key's place."""
        self.findings.add(self.line(path), path, reason)

    def keys(
        self, cls: type[Any], section: Section, path: str = "", defaults: Mapping[str, Any] | None = None
    ) -> None:
        """Reads the keys that `cls` describes; `defaults` go before those of its fields."""
        known = entries(cls)
        self.unknown(section, path, list(known), "keys")
        for name, node in section.items.items():
            if name in known:
                self.entry(known[name], node, join(path, name))
        for name, entry in known.items():
            if name not in section.items:
                # Missing keys come after those that are there.
                self.absent(entry, join(path, name), section.last + 1, (defaults or {}).get(name, MISSING))

    def unknown(self, section: Section, path: str, known: list[str], what: str) -> None:
        """Notes every key that is not among the known ones."""
        odd = [name for name in section.items if name not in known]
        for name in odd[:_MOST_UNKNOWN]:
            here = join(path, name)
            self.lines[here] = section.items[name].line
            guess = did_you_mean(name, known) or ";"
            self.wrong(here, f"is not known{guess} known {what} here: {comma_separated(known)}")
        if len(odd) > _MOST_UNKNOWN:
            more = f"{len(odd) - _MOST_UNKNOWN} more unknown keys"
            self.findings.add(section.items[odd[_MOST_UNKNOWN]].line, path, f"has {more}")

    def entry(self, entry: Entry, node: Node, path: str) -> None:
        """Reads one key that is there."""
        self.lines[path] = node.line
        if entry.section:
            section = self.section(node, path, example_line(entry.section))
            if section:
                self.keys(entry.section, section, path)
        elif entry.key and entry.key.kind != "keys":
            self.read_value(entry.key, node, path)

    def absent(self, entry: Entry, path: str, line: int, default: Any) -> None:
        """A key that is not there: its default, or a finding."""
        if entry.section:
            self.lines[path] = line
            self.keys(entry.section, Section(line, {}, line), path)
            return
        value = entry.default if default is MISSING else default
        if value is not MISSING:
            self.values[path] = value
        elif entry.key:
            self.findings.add(line, path, f"is missing, expected {entry.key.expected}")

    def section(self, node: Node, path: str, example: str) -> Section | None:
        """The keys of a section; one without any is as good as absent."""
        if isinstance(node, Section):
            return node
        if isinstance(node, Scalar) and node.kind == "nothing":
            return Section(node.line, {}, node.line)
        if not (isinstance(node, Scalar) and node.kind == "refused"):
            self.wrong(path, f"found {node}, expected keys with values, for example '{example}'")
        return None

    def named(
        self, root: Section, path: str, known: Collection[str], what: str, cls: type[Any]
    ) -> dict[str, Section]:
        """The sections of `cls` below the key `path`, whose names are `what` and among the known ones."""
        node = root.items.get(path)
        section = self.section(node, path, f"{min(known)}: {{{example_line(cls)}}}") if node else None
        if not section:
            return {}
        self.unknown(section, path, sorted(known), what)
        sections = {}
        for name, inner in section.items.items():
            here = join(path, name)
            self.lines[here] = inner.line
            below = self.section(inner, here, example_line(cls)) if name in known else None
            if below:
                sections[name] = below
        return sections

    def named_texts(
        self, root: Section, path: str, known: Collection[str], what: str, key: Key
    ) -> dict[str, Any]:
        """The values of `key` below the key `path`, whose names are `what` and among the known ones."""
        node = root.items.get(path)
        section = self.section(node, path, f"{min(known)}: {key.shown}") if node else None
        if not section:
            return {}
        self.unknown(section, path, sorted(known), what)
        for name, inner in section.items.items():
            here = join(path, name)
            self.lines[here] = inner.line
            if name in known:
                self.read_value(key, inner, here)
        return {
            name: self.values[f"{path}/{name}"] for name in section.items if f"{path}/{name}" in self.values
        }

    def read_value(self, key: Key, node: Node, path: str) -> None:
        """Reads one value: first its type, then its check."""
        if isinstance(node, Scalar) and node.kind == "refused":
            return
        try:
            self.values[path] = _CONVERT[key.kind](key, node)
        except ValueError as error:
            self.wrong(path, str(error))


def _text(key: Key, node: Node) -> Any:
    if isinstance(node, Scalar) and node.kind == "text":
        return _checked(key, node.text)
    hint = (
        f" (quote it: {quoted(node.text)})"
        if isinstance(node, Scalar) and _is_valid_text(key, node.text)
        else ""
    )
    raise ValueError(f"found {node}, expected text{hint}, for example {key.shown}")


def _is_valid_text(key: Key, text: str) -> bool:
    try:
        return bool(text and key.check(text))
    except ValueError:
        return False


def _number(key: Key, node: Node) -> Any:
    if not (isinstance(node, Scalar) and node.kind == "number"):
        raise ValueError(f"found {node}, expected {key.expected}")
    if not _PLAIN.fullmatch(node.text):
        raise ValueError(f"found {node}, expected a whole number in plain digits, for example {key.shown}")
    return _checked(key, int(node.text))


def _texts(key: Key, node: Node) -> Any:
    if not isinstance(node, Series):
        raise ValueError(f"found {node}, expected {key.expected}")
    for item in node.items:
        if not (isinstance(item, Scalar) and item.kind == "text"):
            raise ValueError(f"found {item} in the list, expected text, for example {key.shown}")
    return tuple(_checked(key, item.text) for item in node.items if isinstance(item, Scalar))


def _checked(key: Key, value: str | int) -> Any:
    try:
        return key.check(value)
    except ValueError as error:
        raise ValueError(f"{error}, for example {key.shown}") from None


_CONVERT: Mapping[str, Callable[[Key, Node], Any]] = {"text": _text, "a number": _number, "a list": _texts}
