"""Reads JSON as YAML parser events, so that the same code checks both formats.

YAML parsers accept JSON as YAML, but not all that JSON writers write: `\\ud83c\\udf93`, an emoji in Python's
json.dump and PHP's json_encode, is an error for them.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

_TOKEN = re.compile(r'[ \t\r\n]+|"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_EXPONENT = re.compile(r"(-?[0-9]+)(\.[0-9]+)?[eE]([-+]?)([0-9]+)")
_CONSTANTS = {"NaN": ".nan", "Infinity": ".inf", "-Infinity": "-.inf"}
_BRACKETS: dict[str, type[Any]] = {
    "{": yaml.MappingStartEvent,
    "[": yaml.SequenceStartEvent,
    "}": yaml.MappingEndEvent,
    "]": yaml.SequenceEndEvent,
}


def is_json(text: str) -> bool:
    """Whether a text is a JSON object or list. NaN and Infinity, which Python writes, count as JSON."""
    if not text.lstrip(" \t\r\n").startswith(("{", "[")):
        return False
    try:
        # Numbers are checked later, where their line is known. Python raises for a number of thousands of digits.
        json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def events(text: str) -> Iterator[Any]:
    """The YAML events of a JSON text. NaN and Infinity become YAML's `.nan` and `.inf`."""
    start = yaml.Mark("", 0, 0, 0, None, 0)
    yield yaml.StreamStartEvent(start, start)
    yield yaml.DocumentStartEvent(start, start)
    line, begin = 0, 0
    end = start
    for match in _TOKEN.finditer(text):
        token = match[0]
        mark = yaml.Mark("", match.start(), line, match.start() - begin, None, 0)
        end = mark
        if token.isspace():
            if "\n" in token:
                line += token.count("\n")
                begin = match.start() + token.rindex("\n") + 1
        elif token in ("{", "["):
            yield _BRACKETS[token](None, None, True, start_mark=mark, end_mark=mark)
        elif token in ("}", "]"):
            yield _BRACKETS[token](start_mark=mark, end_mark=mark)
        elif token not in (",", ":"):
            quoted = token.startswith('"')
            value = json.loads(token) if quoted else _plain(token)
            style = '"' if quoted else None
            yield yaml.ScalarEvent(None, None, (not quoted, quoted), value, mark, mark, style=style)
    yield yaml.DocumentEndEvent(end, end)
    yield yaml.StreamEndEvent(end, end)


def _plain(token: str) -> str:
    """A number as YAML 1.1 writes it: with an exponent it needs a point and a sign, or YAML reads a text."""
    if not (match := _EXPONENT.fullmatch(token)):
        return _CONSTANTS.get(token, token)
    return f"{match[1]}{match[2] or '.0'}e{match[3] or '+'}{match[4]}"
