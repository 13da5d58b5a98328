"""Checks single values of the overrides: for each type of variables.yml a check, which returns what it expects."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&*+/=?^_{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z0-9-]{2,63}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_PLACE = re.compile(r"/(static|media)/[A-Za-z0-9._/-]+")
_PATH = re.compile(r"/(?!/)[A-Za-z0-9._~/?=&%#-]{0,200}")
_ANALYTICS = re.compile(r"UA-[0-9]{4,12}-[0-9]{1,4}|G-[A-Z0-9]{4,20}")
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_LINE_END = re.compile("[\n\t\u2028\u2029]")
# Some templates of edx-platform have attributes without quotes, and some of its mails have no escaping. Without these
# characters a text can add neither an attribute nor a tag. Direction marks reorder the text beside them.
_MARKUP = re.compile('[<>="`\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]')
_PLAIN = 'a text without < > = " ` and without direction marks'
_LONGEST = 500


@dataclass(frozen=True, kw_only=True)
class Row:
    """The row of one variable, feature or setting in variables.yml: which values it accepts."""

    type: str
    longest: int = 50
    least: int = 0
    most: int = 0
    of: tuple[str, ...] = ()
    keys: Mapping[str, "Row"] = field(default_factory=dict)


Check = Callable[[Row, Any], str | None]


def finding(row: Row, value: Any) -> str | None:
    """What is wrong with a value (not a mapping of named keys), or None."""
    expected = CHECKS[row.type](row, value)
    return None if expected is None else f"is {quoted(value)}, expected {expected}"


def quoted(value: Any) -> str:
    """A value as findings quote it: on one line, without control characters."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    kinds: dict[type, str] = {dict: "a mapping", list: "a list"}
    return kinds.get(type(value)) or (repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}…")


def is_address(value: Any) -> bool:
    """Whether a value is an http(s) address without a user or password in it."""
    if (
        not isinstance(value, str)
        or len(value) > _LONGEST
        or re.search(r"[\s'\\]", value)
        or _MARKUP.search(value.replace("=", ""))
    ):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def _lines(row: Row, value: Any) -> str | None:
    if isinstance(value, str) and _MARKUP.search(value):
        return _PLAIN
    if isinstance(value, str) and 0 < len(value) <= row.longest:
        return None
    return f"a text of 1 to {row.longest} characters (a number or truth value stands in quotes)"


def _name(row: Row, value: Any) -> str | None:
    # A name is used in mail headers, which must not have line ends.
    if isinstance(value, str) and _LINE_END.search(value):
        return "a text of one line"
    return _lines(row, value)


def _switch(row: Row, value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.lower() in ("true", "false", "yes", "no", "on", "off"):
        # Open edX reads any text as true, also 'False'.
        right = "true" if value.lower() in ("true", "yes", "on") else "false"
        return f"{right} without quotes (Open edX reads every text as true)"
    return "true or false, without quotes"


def _choice(row: Row, value: Any) -> str | None:
    return None if value in row.of and isinstance(value, str) else f"one of {', '.join(row.of)}"


def _in_long_list(expected: str) -> Check:
    """A check for a list that is too long to quote in the finding."""

    def check(row: Row, value: Any) -> str | None:
        if isinstance(value, str) and value in row.of:
            return None
        near = (
            difflib.get_close_matches(value[:40], row.of, n=1, cutoff=0.55) if isinstance(value, str) else []
        )
        return f"{expected}{f'; is {near[0]!r} meant?' if near else ''}"

    return check


def _matching(pattern: re.Pattern[str], expected: str) -> Check:
    def check(row: Row, value: Any) -> str | None:
        good = isinstance(value, str) and len(value) <= 255 and pattern.fullmatch(value)
        return None if good else expected

    return check


def _url(row: Row, value: Any) -> str | None:
    return None if is_address(value) else "an address, for example 'https://help.acme.com'"


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and bool(_PATH.fullmatch(value))


def _link(row: Row, value: Any) -> str | None:
    good = is_address(value) or _is_path(value)
    return None if good else "an address or a path, for example 'https://help.acme.com' or '/about'"


def _place(row: Row, value: Any) -> str | None:
    good = value == "" or (is_address(value) and value.startswith("https://"))
    good = good or (isinstance(value, str) and _PLACE.fullmatch(value) and ".." not in value)
    return (
        None
        if good
        else "a path below /static/ or /media/ or an https address, for example '/media/logo.png'"
    )


def _number(row: Row, value: Any) -> str | None:
    good = isinstance(value, int) and not isinstance(value, bool) and row.least <= value <= row.most
    return None if good else f"a whole number, {row.least} to {row.most}"


def _list_of(good: Callable[[Any], bool], expected: str) -> Check:
    def check(row: Row, value: Any) -> str | None:
        whole = isinstance(value, list) and len(value) <= row.longest and all(good(each) for each in value)
        return None if whole else f"a list of at most {row.longest} {expected}"

    return check


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and bool(pattern.fullmatch(value))


def _is_text(value: Any) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= _LONGEST
        and not (_LINE_END.search(value) or _MARKUP.search(value))
    )


def _is_link(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"title", "url"}
        and isinstance(value["title"], str)
        and 0 < len(value["title"]) <= 100
        and _is_text(value["title"])
        and (is_address(value["url"]) or _is_path(value["url"]))
    )


def _labels(row: Row, value: Any) -> str | None:
    good = isinstance(value, dict) and len(value) <= row.longest
    good = good and all(
        _WORD.fullmatch(name) and (_is_text(each) or is_address(each) or isinstance(each, (bool, int, float)))
        for name, each in value.items()
    )
    return None if good else f"at most {row.longest} names in lower case, each with a text, number or switch"


CHECKS: Mapping[str, Check] = {
    "name": _name,
    "lines": _lines,
    "email": _matching(_EMAIL, "an e-mail address, for example 'help@acme.com'"),
    "url": _url,
    "link": _link,
    "place": _place,
    "colour": _matching(_COLOUR, "a colour, for example '#1d4f91'"),
    "number": _number,
    "switch": _switch,
    "choice": _choice,
    "language": _in_long_list("a language that Open edX has, for example 'fr' or 'pt-br'"),
    "timezone": _in_long_list("a time zone, for example 'Europe/Vienna'"),
    "analytics": _matching(_ANALYTICS, "an account of Google Analytics, for example 'UA-12345678-1'"),
    "page": _choice,
    "words": _list_of(_matches(_WORD), "words in lower case, for example '[name, username]'"),
    "countries": _list_of(_matches(_COUNTRY), "countries by two letters, for example '[AT, DE]'"),
    "texts": _list_of(_is_text, "texts"),
    "links": _list_of(_is_link, "links, each as '{title: Help, url: https://help.acme.com}'"),
    "labels": _labels,
}
