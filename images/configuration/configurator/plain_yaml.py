"""YAML and JSON without what could bite: read event by event, so that a bomb of anchors is refused before it expands."""

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
# YAML 1.1's words without its surprises: 12:30 stays a text, and so does 2024-01-31.
_TRUE, _FALSE, _NULL = {"true", "yes", "on"}, {"false", "no", "off"}, {"", "~", "null"}
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FRACTION = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+][0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(nan|inf)", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Line ends to YAML 1.1 and characters to YAML 1.2: a text with one would be read other than it was written.
_BREAK = re.compile("[\x85\u2028\u2029]")
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Read:
    """The keys of a file, and where each value's key stands, at any depth: line and column, both from 1."""

    values: dict[str, Any]
    places: dict[Path, tuple[int, int]]


def read(data: bytes) -> Read:
    """The keys of a file; one without any is an empty mapping. Raises Refusal."""
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
        told = " ".join(str(error.problem or error.context).split())
        raise Refusal(f"is not YAML: {told}", *(_place(mark) if mark else (0, 0))) from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise Refusal(f"is not YAML: {' '.join(str(error).split())}") from None


def _events(text: str) -> Any:
    if json_events.is_json(text):
        return json_events.events(text)
    if found := _BREAK.search(text):
        before = text[: found.start()]
        line, column = before.count("\n") + 1, found.start() - before.rfind("\n")
        code = f"U+{ord(found[0]):04X}"
        raise Refusal(
            f"has the line separator {code}; in double quotes write it as \\u{code[2:]}", line, column
        )
    return yaml.parse(text, Loader=_LOADER)


def _place(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


class _Reader:
    """Builds plain values of a parser's events."""

    def __init__(self, events: Any) -> None:
        self._events = events
        self._nodes = 0
        self._places: dict[Path, tuple[int, int]] = {}

    def document(self) -> Read:
        event = self._next()
        while isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return Read({}, {})
        value = self._value(event, (), 0)
        if not isinstance(self._next(), yaml.DocumentEndEvent) or not isinstance(
            following := self._next(), yaml.StreamEndEvent
        ):
            raise Refusal("begins a second document, expected one", *_place(following.start_mark))
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise Refusal(
                f"is {_kind(value)}, expected keys with values, for example 'EDXAPP_PLATFORM_NAME: Acme Academy'",
                *_place(event.start_mark),
            )
        return Read(value, self._places)

    def _next(self) -> Any:
        return next(self._events)

    def _value(self, event: Any, path: Path, depth: int) -> Any:
        place = _place(event.start_mark)
        key = shown(path)
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise Refusal(f"has more than {MOST_NODES} values", *place)
        if depth > DEEPEST:
            raise Refusal(f"is nested more than {DEEPEST} deep", *place, key)
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise Refusal("uses an anchor (& or *); write the value out where it is wanted", *place, key)
        if event.tag and not (isinstance(event, yaml.ScalarEvent) and event.tag == "!"):
            raise Refusal(f"has the tag {event.tag[:100]!r}, expected a plain value", *place, key)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(path, depth)
        return _scalar(event, key)

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            place = _place(event.start_mark)
            if not isinstance(event, yaml.ScalarEvent):
                raise Refusal("has a key that is no text", *place, shown(path))
            name = self._value(event, path, depth + 1)
            # What YAML takes for a truth value or number is meant as the word it is written as.
            name = name if isinstance(name, str) else event.value
            if name == "<<":
                raise Refusal("merges with '<<'; write the keys out", *place, shown(path))
            if not name:
                raise Refusal("has an empty key", *place, shown(path))
            here = (*path, name)
            if name in found:
                raise Refusal("stands twice", *place, shown(here))
            self._places[here] = place
            found[name] = self._value(self._next(), here, depth + 1)
        return found

    def _list(self, path: Path, depth: int) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            here = (*path, len(found))
            self._places[here] = _place(event.start_mark)
            found.append(self._value(event, here, depth + 1))
        return found


def _scalar(event: Any, key: str) -> Any:
    text: str = event.value
    place = _place(event.start_mark)
    if event.implicit[0] and not event.style:
        if text.lower() in _NULL:
            return None
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        if _NUMBER.fullmatch(text):
            if len(text) > 18:
                raise Refusal("is too long a number; a text stands in quotes", *place, key)
            return int(text)
        if _FRACTION.fullmatch(text):
            number = float(text)
            if not math.isfinite(number):
                raise Refusal("is too large a number; a text stands in quotes", *place, key)
            return number
        if _NO_NUMBER.fullmatch(text):
            raise Refusal("is no number; a text stands in quotes", *place, key)
    if len(text) > LONGEST_TEXT:
        raise Refusal(f"has {len(text)} characters, expected at most {LONGEST_TEXT}", *place, key)
    if found := _CONTROL.search(text):
        raise Refusal(f"has the control character U+{ord(found[0]):04X}", *place, key)
    return text


def shown(path: Path) -> str:
    """A key with those above it, as `EDXAPP_MKTG_URLS.ABOUT`; odd ones in quotes, long ones cut."""
    words = "".join(f"[{each}]" if isinstance(each, int) else f".{_plain(each)}" for each in path)
    return words.removeprefix(".")


def _plain(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name) else ascii(name[:60])


def _kind(value: Any) -> str:
    return {list: "a list", str: "a text", bool: "a truth value"}.get(type(value), "a number")
