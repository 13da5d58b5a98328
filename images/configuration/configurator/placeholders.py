"""Stand-ins for values that are not ours, so that Ansible evaluates the role's own text and nothing else.

Ansible takes any text that it is given for a template, and knows more headers and markers than anybody lists. So it is
given none: each variable that a layer sets goes in as a number between two characters of the private use area, and
what Ansible wrote gets the values back here, in plain Python, once. A value is never looked through for stand-ins.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from configurator.layers import merged

OPEN, CLOSE = "\ue000", "\ue001"
_TOKEN = re.compile(f"{OPEN}([0-9]+){CLOSE}")


def hide(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """What stands in for each value, by variable, and the values in the order of their numbers.

    A mapping's stand-in is a mapping, so that Ansible merges it into the role's default.
    """
    kept = [values[name] for name in sorted(values)]
    tokens = {name: f"{OPEN}{number}{CLOSE}" for number, name in enumerate(sorted(values))}
    return {
        name: {token: ""} if isinstance(values[name], dict) else token for name, token in tokens.items()
    }, kept


def show(made: Any, kept: Sequence[Any]) -> Any:
    """What Ansible made with each stand-in replaced by its value.

    Raises ValueError for what is none of ours, such as half a stand-in or a number in the midst of a text.
    """
    if isinstance(made, dict):
        return _mapping(made, kept)
    if isinstance(made, list):
        return [show(each, kept) for each in made]
    if not isinstance(made, str):
        return made
    if whole := _TOKEN.fullmatch(made):
        return copy.deepcopy(_kept(whole, kept))
    if any(mark in _TOKEN.sub("", made) for mark in (OPEN, CLOSE)):
        raise ValueError("the role's text holds half a stand-in")
    return _TOKEN.sub(lambda found: _text(found, kept), made)


def _mapping(made: Mapping[str, Any], kept: Sequence[Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    over = []
    for key, value in made.items():
        if found := _TOKEN.fullmatch(key):
            over.append(_kept(found, kept))
        elif OPEN in key or CLOSE in key:
            raise ValueError("the role has a stand-in in the midst of a key")
        else:
            shown[key] = show(value, kept)
    for each in over:
        if not isinstance(each, dict):
            raise ValueError("the role has a stand-in for a key")
        shown = merged(shown, copy.deepcopy(each))
    return shown


def _kept(found: re.Match[str], kept: Sequence[Any]) -> Any:
    number = int(found[1])
    if number >= len(kept):
        raise ValueError(f"the role has a stand-in {number} that nobody gave it")
    return kept[number]


def _text(found: re.Match[str], kept: Sequence[Any]) -> str:
    value = _kept(found, kept)
    if not isinstance(value, str):
        raise ValueError("the role puts a value that is no text into the midst of a text")
    return value
