"""Parses a safe subset of YAML and JSON.

The file is read event by event, so that nested anchors are refused before they expand (billion laughs).
"""

import math
import re
from dataclasses import dataclass
from typing import Any

import yaml

from configurator import json_events
from configurator.refusal import Refusal

LARGEST_BYTES = 256 * 1024
DEEPEST = 12
MOST_NODES = 20_000
LONGEST_TEXT = 20_000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# The words of YAML 1.1, without its times and dates: 12:30 and 2024-01-31 stay texts.
_TRUE, _FALSE, _NULL = {"true", "yes", "on"}, {"false", "no", "off"}, {"", "~", "null"}
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FRACTION = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+][0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(nan|inf)", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Line ends in YAML 1.1 but characters in YAML 1.2: a text with one would be read differently from how it was written.
_BREAK = re.compile("[\x85\u2028\u2029]")
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class ParsedFile:
    """The keys of a file with their values, and the position of each key at any depth: line and column, from 1."""

    values: dict[str, Any]
    positions: dict[Path, tuple[int, int]]


def parse(data: bytes) -> ParsedFile:
    """The keys and values of a file; an empty file is an empty mapping. Raises Refusal."""
    if len(data) > LARGEST_BYTES:
        raise Refusal(f"is more than {LARGEST_BYTES // 1024} KiB, expected at most that")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal("is not UTF-8 text", data.count(b"\n", 0, error.start) + 1, 1) from None
    try:
        return _Reader(_events(text)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(str(error.problem or error.context).split())
        raise Refusal(f"is not YAML: {problem}", *(_position(mark) if mark else (0, 0))) from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise Refusal(f"is not YAML: {' '.join(str(error).split())}") from None


def _events(text: str) -> Any:
    if json_events.is_json(text):
        return json_events.events(text)
    if match := _BREAK.search(text):
        before = text[: match.start()]
        line, column = before.count("\n") + 1, match.start() - before.rfind("\n")
        code = f"U+{ord(match[0]):04X}"
        raise Refusal(
            f"has the line separator {code}; in double quotes write it as \\u{code[2:]}", line, column
        )
    return yaml.parse(text, Loader=_LOADER)


def _position(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


class _Reader:
    """Builds plain values from parser events."""

    def __init__(self, events: Any) -> None:
        self._events = events
        self._nodes = 0
        self._positions: dict[Path, tuple[int, int]] = {}

    def document(self) -> ParsedFile:
        event = self._next()
        while isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return ParsedFile({}, {})
        value = self._value(event, (), 0)
        if not isinstance(self._next(), yaml.DocumentEndEvent) or not isinstance(
            following := self._next(), yaml.StreamEndEvent
        ):
            raise Refusal("begins a second document, expected one", *_position(following.start_mark))
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise Refusal(
                f"is {_type_name(value)}, expected keys with values, for example 'EDXAPP_PLATFORM_NAME: Acme Academy'",
                *_position(event.start_mark),
            )
        return ParsedFile(value, self._positions)

    def _next(self) -> Any:
        return next(self._events)

    def _value(self, event: Any, path: Path, depth: int) -> Any:
        position = _position(event.start_mark)
        key = key_path(path)
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise Refusal(f"has more than {MOST_NODES} values", *position)
        if depth > DEEPEST:
            raise Refusal(f"is nested more than {DEEPEST} deep", *position, key)
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise Refusal("uses an anchor (& or *); write the value out where it is wanted", *position, key)
        if event.tag and not (isinstance(event, yaml.ScalarEvent) and event.tag == "!"):
            raise Refusal(f"has the tag {event.tag[:100]!r}, expected a plain value", *position, key)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(path, depth)
        return _scalar(event, key)

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            position = _position(event.start_mark)
            if not isinstance(event, yaml.ScalarEvent):
                raise Refusal("has a key that is no text", *position, key_path(path))
            name = self._value(event, path, depth + 1)
            # A key that YAML reads as a truth value or number is meant as the text that it is written as.
            name = name if isinstance(name, str) else event.value
            if name == "<<":
                raise Refusal("merges with '<<'; write the keys out", *position, key_path(path))
            if not name:
                raise Refusal("has an empty key", *position, key_path(path))
            here = (*path, name)
            if name in values:
                raise Refusal("stands twice", *position, key_path(here))
            self._positions[here] = position
            values[name] = self._value(self._next(), here, depth + 1)
        return values

    def _list(self, path: Path, depth: int) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            here = (*path, len(values))
            self._positions[here] = _position(event.start_mark)
            values.append(self._value(event, here, depth + 1))
        return values


def _scalar(event: Any, key: str) -> Any:
    text: str = event.value
    position = _position(event.start_mark)
    if event.implicit[0] and not event.style:
        if text.lower() in _NULL:
            return None
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        if _NUMBER.fullmatch(text):
            if len(text) > 18:
                raise Refusal("is too long a number; a text stands in quotes", *position, key)
            return int(text)
        if _FRACTION.fullmatch(text):
            number = float(text)
            if not math.isfinite(number):
                raise Refusal("is too large a number; a text stands in quotes", *position, key)
            return number
        if _NO_NUMBER.fullmatch(text):
            raise Refusal("is no number; a text stands in quotes", *position, key)
    if len(text) > LONGEST_TEXT:
        raise Refusal(f"has {len(text)} characters, expected at most {LONGEST_TEXT}", *position, key)
    if match := _CONTROL.search(text):
        raise Refusal(f"has the control character U+{ord(match[0]):04X}", *position, key)
    return text


def key_path(path: Path) -> str:
    """A key with its parents, for example `EDXAPP_MKTG_URLS.ABOUT`; unusual names in quotes, long ones cut."""
    words = "".join(f"[{each}]" if isinstance(each, int) else f".{_quoted_if_unusual(each)}" for each in path)
    return words.removeprefix(".")


def _quoted_if_unusual(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name) else ascii(name[:60])


def _type_name(value: Any) -> str:
    return {list: "a list", str: "a text", bool: "a truth value"}.get(type(value), "a number")
