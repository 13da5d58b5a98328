"""YAML without what could bite: read event by event, so that a bomb of anchors is refused before it expands."""

import math
import re
from dataclasses import dataclass
from typing import Any

import yaml

from configuration.refusal import Refusal

LARGEST_BYTES = 256 * 1024
DEEPEST = 12
MOST_NODES = 20_000
LONGEST_TEXT = 20_000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# YAML 1.1's words without its surprises: 12:30 stays a text, and so does 2024-01-31.
_TRUE, _FALSE, _NULL = {"true", "yes", "on"}, {"false", "no", "off"}, {"", "~", "null"}
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FRACTION = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+]?[0-9]+)?")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_TEMPLATE = re.compile(r"\{\{|\{%|\{#")


@dataclass(frozen=True)
class Read:
    """The keys of a file, and the line on which each top-level key stands."""

    values: dict[str, Any]
    lines: dict[str, int]


def read(data: bytes) -> Read:
    """The keys of a file; one without any is an empty mapping. Raises Refusal."""
    if len(data) > LARGEST_BYTES:
        raise Refusal(f"is {len(data) // 1024} KiB, expected at most {LARGEST_BYTES // 1024}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal("is not UTF-8 text", data.count(b"\n", 0, error.start) + 1, 1) from None
    events = yaml.parse(text, Loader=_LOADER)
    try:
        return _Reader(events).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        told = " ".join(str(error.problem or error.context).split())
        raise Refusal(f"is not YAML: {told}", *(_place(mark) if mark else (0, 0))) from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise Refusal(f"is not YAML: {' '.join(str(error).split())}") from None


def _place(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


class _Reader:
    """Builds plain values of a parser's events."""

    def __init__(self, events: Any) -> None:
        self._events = events
        self._nodes = 0
        self._lines: dict[str, int] = {}

    def document(self) -> Read:
        event = self._next()
        while isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return Read({}, {})
        value = self._value(event, "", 0)
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
        return Read(value, self._lines)

    def _next(self) -> Any:
        return next(self._events)

    def _value(self, event: Any, key: str, depth: int) -> Any:
        place = _place(event.start_mark)
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise Refusal(f"has more than {MOST_NODES} values", *place)
        if depth > DEEPEST:
            raise Refusal(f"is nested more than {DEEPEST} deep", *place, key)
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise Refusal("uses an anchor (& or *); write the value out where it is wanted", *place, key)
        if event.tag and not (isinstance(event, yaml.ScalarEvent) and event.tag == "!"):
            raise Refusal(f"has the tag {event.tag}, expected a plain value", *place, key)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(key, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(key, depth)
        return _scalar(event, key)

    def _mapping(self, path: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            place = _place(event.start_mark)
            if not isinstance(event, yaml.ScalarEvent):
                raise Refusal("has a key that is no text", *place, path)
            name = self._value(event, path, depth + 1)
            # What YAML takes for a truth value or number is meant as the word it is written as.
            name = name if isinstance(name, str) else event.value
            if name == "<<":
                raise Refusal("merges with '<<'; write the keys out", *place, path)
            if not name:
                raise Refusal("has an empty key", *place, path)
            if name in found:
                raise Refusal("stands twice", *place, _join(path, name))
            if depth == 0:
                self._lines[name] = place[0]
            found[name] = self._value(self._next(), _join(path, name), depth + 1)
        return found

    def _list(self, path: str, depth: int) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            found.append(self._value(event, f"{path}[{len(found)}]", depth + 1))
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
    if len(text) > LONGEST_TEXT:
        raise Refusal(f"has {len(text)} characters, expected at most {LONGEST_TEXT}", *place, key)
    if found := _CONTROL.search(text):
        raise Refusal(f"has the control character U+{ord(found[0]):04X}", *place, key)
    if _TEMPLATE.search(text):
        # Ansible would evaluate it: `lookup('pipe', …)` runs a command beside the portal's secrets.
        raise Refusal("has a template ({{ or {%); templates are not evaluated, write the value", *place, key)
    return text


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _kind(value: Any) -> str:
    return {list: "a list", str: "a text", bool: "a truth value"}.get(type(value), "a number")
