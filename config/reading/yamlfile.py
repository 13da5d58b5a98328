"""YAML, the safe part of it.

Read event by event, so that an anchor bomb is refused before anything could be expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from functools import reduce
from pathlib import Path
from typing import Any

import yaml
from yaml.resolver import Resolver

from config.reading import checkout, plaintext
from config.reading.errors import Findings
from config.reading.nodes import Node, Scalar, Section, Series, join
from config.reading.words import excerpt, quoted

DEEPEST = 8
_SURROGATE = re.compile("[\ud800-\udfff]")
_EXAMPLE = "expected keys with values, for example 'title: Demo University'"
# libyaml reads a thousand tenants in a second; PyYAML's own reader takes ten times that, but is everywhere.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KINDS = {"int": "number", "float": "number", "bool": "truth value", "null": "nothing", "timestamp": "date"}
_BRACKET = "opens a bracket that is not closed, or misses a comma in it"
_NEVER_CLOSED = "opens a quote or bracket that is never closed"
# What the two readers say → the same in words about the file. The first that occurs in theirs is taken.
_SAID = {
    "mapping values are not allowed": "has ': ' where no key can be: check the indentation, add a ':' that is missing above, or quote the value",
    "could not find expected ':'": "is a key without ':'",
    "end of stream": _NEVER_CLOSED,
    "document indicator": _NEVER_CLOSED,
    "did not find expected ',' or": _BRACKET,
    "expected ',' or": _BRACKET,
    "node content": "has nothing where a value is expected: check brackets and commas",
    "did not find expected key": "has an indentation that matches no key above it",
    "expected <block end>": "has an indentation that matches no key above it",
    "cannot start any token": "has a value that begins with a reserved character; quote the value",
    "Unicode character escape": "has an escape that is not a character, expected text",
    "unknown escape character": "has an unknown escape in double quotes; use single quotes",
}


def load(path: Path, findings: Findings, root: Path) -> Section | None:
    """The keys of a file of the checkout at `root`, or None with the reason among the findings."""
    try:
        place = checkout.resolve_inside(path, root)
        if place.exists() and not place.is_file():
            findings.add(0, "", "is not a file")
            return None
        data = checkout.read(path, root, plaintext.LARGEST + 1)
    except (checkout.Outside, OSError) as error:
        findings.add(0, "", f"cannot be read: {checkout.error_text(error)}")
        return None
    return parse(data, findings)


def parse(data: bytes, findings: Findings) -> Section | None:
    """The keys of a file's bytes, or None with the reason among the findings.

    What is refused but leaves the rest readable (an anchor, a tag, a repeated key) is among the findings too.
    """
    text = plaintext.read(data, findings)
    if text is None:
        return None
    events: Any = yaml.parse(text, Loader=_LOADER)
    try:
        with closing(events):
            root = _Builder(events, findings).document()
    except _Unreadable:
        return None
    except yaml.MarkedYAMLError as error:
        _report(error, findings)
        return None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # PyYAML's own reader makes characters and numbers of escapes and directives unguarded.
        findings.add(0, "", f"is not YAML: {quoted(str(error))}")
        return None
    if root is None or (isinstance(root, Scalar) and root.kind == "nothing"):
        findings.add(0, "", f"is empty, {_EXAMPLE}")
        return None
    if not isinstance(root, Section):
        # By its kind alone: what is no configuration may be a secret that was put into the wrong file.
        kind = f"one {root.kind}" if isinstance(root, Scalar) else str(root)
        findings.add(root.line, "", f"is {kind}, {_EXAMPLE}")
        return None
    return root


def _report(error: yaml.MarkedYAMLError, findings: Findings) -> None:
    problem = error.problem or error.context or ""
    words = next(
        (words for problem_part, words in _SAID.items() if problem_part in problem),
        f"is not YAML: {excerpt(problem)}",
    )
    # For what is never closed the place where it was opened helps, not the end of the file.
    opened = error.context_mark if words in (_NEVER_CLOSED, _BRACKET) else None
    mark = opened or error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 0
    findings.add(line, "", f"line {line}: {words}")


class _Unreadable(Exception):
    """The rest of the file is not worth reading; the reason is among the findings."""


class _Builder:
    """Turns the reader's events into nodes."""

    def __init__(self, events: Iterator[Any], findings: Findings) -> None:
        self.events = events
        self.findings = findings
        self.resolver: Any = Resolver()

    def document(self) -> Node | None:
        next(self.events)
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            return None
        if start.version or start.tags:
            self.refuse(start, "a directive (%YAML or %TAG)", "keys with values only")
        root = self.node(next(self.events), (), 1)
        next(self.events)
        rest = next(self.events)
        if not isinstance(rest, yaml.StreamEndEvent):
            self.refuse(rest, "a second document", "one in a file")
            raise _Unreadable
        return root

    def node(self, event: Any, path: tuple[str, ...], depth: int) -> Node:
        line = event.start_mark.line + 1
        if depth > DEEPEST:
            self.refuse(event, f"more than {DEEPEST} levels", "keys less deep")
            raise _Unreadable
        if isinstance(event, yaml.AliasEvent):
            self.refuse(event, f"the alias {quoted(f'*{event.anchor}')}", "the value itself")
            return Scalar(line, "refused", "")
        if event.anchor is not None:
            self.refuse(event, f"the anchor {quoted(f'&{event.anchor}')}", "the value alone")
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.refuse(event, f"the tag {quoted(tag)}", "the value alone")
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(line, self.kind(event, line), event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return Series(line, tuple(self.series(path, depth)))
        return self.section(line, path, depth)

    def kind(self, event: Any, line: int) -> str:
        # The end of a plain value is at its text, that of a block (| or >) at the line after.
        last = event.end_mark.line + (0 if event.style in ("|", ">") else 1)
        if last > line:
            # A quote that was forgotten ends at the next one, lines below; better to point at its beginning.
            self.refuse(event, f"a value that continues on line {last}", "each value on one line")
        if not event.value.isascii() and _SURROGATE.search(event.value):
            # PyYAML's own reader lets them pass.
            self.refuse(event, "an escape that is not a character", "text")
            return "refused"
        if event.tag is not None or last > line:
            return "refused"
        if not event.implicit[0]:
            return "text"
        tag = self.resolver.resolve(yaml.ScalarNode, event.value, event.implicit)
        return _KINDS.get(tag.rpartition(":")[2], "text")

    def series(self, path: tuple[str, ...], depth: int) -> Iterator[Node]:
        number = 0
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            number += 1
            yield self.node(event, (*path, str(number)), depth + 1)

    def section(self, line: int, path: tuple[str, ...], depth: int) -> Section:
        items: dict[str, Node] = {}
        lines: dict[str, int] = {}
        event: Any
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            place = event.start_mark.line + 1
            key = self.key(event, depth)
            value = self.node(next(self.events), (*path, key or ""), depth + 1)
            if key is None:
                continue
            if key in items:
                both = f"appears twice, in lines {lines[key]} and {place}, expected once"
                self.findings.add(place, reduce(join, (*path, key), ""), both)
                continue
            items[key], lines[key] = value, place
        # What ends it is the line after, in all but sections in braces.
        end: Any = event.end_mark
        return Section(line, items, max(line, end.line))

    def key(self, event: Any, depth: int) -> str | None:
        """The key, or None for one that is no plain text."""
        node = self.node(event, (), depth + 1)
        if not isinstance(node, Scalar):
            self.refuse(event, f"{node} as a key", "a key that is text")
            return None
        if node.kind == "refused":
            return None
        if node.text == "<<":
            self.refuse(event, "the merge key '<<'", "each key written out")
            return None
        if node.kind != "text":
            self.refuse(event, f"{node} as a key", "a key that is text")
            return None
        return node.text

    def refuse(self, event: Any, found: str, expected: str) -> None:
        line = event.start_mark.line + 1
        self.findings.add(line, "", f"line {line}: has {found}, expected {expected}")
