"""Placeholders for values that are not ours, so that Ansible evaluates nothing but the role's own text.

Ansible treats each text of a variable as a template, and has more template markers than a list can name. So it gets no
such text: each variable that a layer sets goes in as a number between two characters of Unicode's private use area. The
values are put back into Ansible's output here, once, in plain Python. No value is searched for placeholders.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from configurator.layers import merged

OPEN, CLOSE = "\ue000", "\ue001"
_TOKEN = re.compile(f"{OPEN}([0-9]+){CLOSE}")


def hide_values(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """The placeholder of each variable, and the values in the order of their numbers.

    The placeholder of a mapping is a mapping, so that Ansible merges it into the role's default.
    """
    originals = [values[name] for name in sorted(values)]
    tokens = {name: f"{OPEN}{number}{CLOSE}" for number, name in enumerate(sorted(values))}
    return {
        name: {token: ""} if isinstance(values[name], dict) else token for name, token in tokens.items()
    }, originals


def restore_values(content: Any, originals: Sequence[Any]) -> Any:
    """Ansible's output with each placeholder replaced by its value.

    Raises ValueError for a damaged placeholder, and for a number in the middle of a text.
    """
    if isinstance(content, dict):
        return _mapping(content, originals)
    if isinstance(content, list):
        return [restore_values(each, originals) for each in content]
    if not isinstance(content, str):
        return content
    if whole := _TOKEN.fullmatch(content):
        return copy.deepcopy(_value_of(whole, originals))
    if any(mark in _TOKEN.sub("", content) for mark in (OPEN, CLOSE)):
        raise ValueError("the role's text holds half a placeholder")
    return _TOKEN.sub(lambda match: _text_of(match, originals), content)


def _mapping(content: Mapping[str, Any], originals: Sequence[Any]) -> dict[str, Any]:
    restored: dict[str, Any] = {}
    over = []
    for key, value in content.items():
        if match := _TOKEN.fullmatch(key):
            over.append(_value_of(match, originals))
        elif OPEN in key or CLOSE in key:
            raise ValueError("the role has a placeholder in the middle of a key")
        else:
            restored[key] = restore_values(value, originals)
    for each in over:
        if not isinstance(each, dict):
            raise ValueError("the role has a placeholder as a key")
        restored = merged(restored, copy.deepcopy(each))
    return restored


def _value_of(match: re.Match[str], originals: Sequence[Any]) -> Any:
    number = int(match[1])
    if number >= len(originals):
        raise ValueError(f"the role has a placeholder {number} that it was not given")
    return originals[number]


def _text_of(match: re.Match[str], originals: Sequence[Any]) -> str:
    value = _value_of(match, originals)
    if not isinstance(value, str):
        raise ValueError("the role puts a value that is no text into the middle of a text")
    return value
