"""Which variables overrides may set, and to what: the table is variables.yml, the checks are here."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from configuration import plain
from configuration.refusal import Refusal

# Mappings of which each key becomes a setting of Open edX.
SETTINGS = ("EDXAPP_ENV_EXTRA", "EDXAPP_LMS_ENV_EXTRA", "EDXAPP_CMS_ENV_EXTRA")
_SETTING = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
_EMAIL = re.compile(r"[^\s@<>\"',;]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z0-9-]{2,63}")
_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_TIME_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_PLACE = re.compile(r"/(static|media)/[A-Za-z0-9._/-]+")


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One row of the table."""

    type: str
    longest: int
    least: int
    most: int


@dataclass(frozen=True, kw_only=True)
class Table:
    """The whole table; `protected` and `settings` match whole names."""

    variables: Mapping[str, Variable]
    protected: re.Pattern[str]
    settings: re.Pattern[str]

    @classmethod
    def load(cls, path: Path) -> "Table":
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        return cls(
            variables={
                name: Variable(
                    type=row["type"],
                    longest=row.get("longest", 500 if row["type"] == "text" else 50),
                    least=row.get("least", 0),
                    most=row.get("most", 0),
                )
                for name, row in said["variables"].items()
            },
            protected=re.compile("|".join(said["protected"])),
            settings=re.compile("|".join(said["settings"])),
        )


def check(data: bytes, table: Table, own: Iterable[str]) -> dict[str, Any]:
    """The overrides of a file. `own` are the settings that the operator's files set. Raises Refusal."""
    read = plain.read(data)
    owned = frozenset(own)
    for name, value in read.values.items():
        line = read.lines[name]
        if name not in table.variables:
            raise Refusal(_stranger(name, table), line, 1, name)
        reason = _finding(table.variables[name], value)
        if reason is None and name in SETTINGS:
            reason = next((why for each in value if (why := _setting(each, table, owned))), None)
        if reason is not None:
            raise Refusal(reason, line, 1, name)
    return read.values


def _stranger(name: str, table: Table) -> str:
    if table.protected.fullmatch(name):
        return "is the operator's alone and cannot be overridden; remove it"
    near = difflib.get_close_matches(name, table.variables, n=1, cutoff=0.75)
    return "is not a variable that can be overridden" + (f"; is {near[0]} meant?" if near else "")


def _setting(name: str, table: Table, own: frozenset[str]) -> str | None:
    if not _SETTING.fullmatch(name):
        return f"{name!r} is no name of a setting, for example 'MAX_FAILED_LOGIN_ATTEMPTS_ALLOWED'"
    if name in own or table.settings.fullmatch(name):
        return f"{name} is the operator's alone and cannot be overridden; remove it"
    return None


def _finding(variable: Variable, value: Any) -> str | None:
    told = _CHECKS[variable.type](variable, value)
    return None if told is None else f"is {_short(value)}, expected {told}"


def _short(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    kinds: dict[type, str] = {dict: "a mapping", list: "a list"}
    return kinds.get(type(value)) or (repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}…")


def _text(variable: Variable, value: Any) -> str | None:
    if isinstance(value, str) and 0 < len(value) <= variable.longest:
        return None
    return f"a text of 1 to {variable.longest} characters (a number or truth value stands in quotes)"


def _matching(pattern: re.Pattern[str], example: str) -> Callable[[Variable, Any], str | None]:
    def check_(variable: Variable, value: Any) -> str | None:
        good = isinstance(value, str) and len(value) <= 255 and pattern.fullmatch(value)
        return None if good else example

    return check_


def address(value: Any) -> bool:
    """Whether a value is an http(s) address without a user or password in it."""
    if not isinstance(value, str) or len(value) > 500 or re.search(r"[\s\"'<>\\]", value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def _url(variable: Variable, value: Any) -> str | None:
    return None if address(value) else "an address, for example 'https://help.acme.com'"


def _place(variable: Variable, value: Any) -> str | None:
    good = value == "" or (address(value) and value.startswith("https://"))
    good = good or (isinstance(value, str) and _PLACE.fullmatch(value) and ".." not in value)
    return (
        None
        if good
        else "a path below /static/ or /media/ or an https address, for example '/media/logo.png'"
    )


def _number(variable: Variable, value: Any) -> str | None:
    good = isinstance(value, int) and not isinstance(value, bool) and variable.least <= value <= variable.most
    return None if good else f"a whole number, {variable.least} to {variable.most}"


def _texts(variable: Variable, value: Any) -> str | None:
    good = isinstance(value, list) and len(value) <= variable.longest
    good = good and all(isinstance(each, str) and len(each) <= 500 for each in value)
    return None if good else f"a list of at most {variable.longest} texts"


def _links(variable: Variable, value: Any) -> str | None:
    good = isinstance(value, list) and len(value) <= variable.longest
    good = good and all(
        isinstance(each, dict)
        and set(each) == {"title", "url"}
        and isinstance(each["title"], str)
        and 0 < len(each["title"]) <= 100
        and (address(each["url"]) or _path(each["url"]))
        for each in value
    )
    return (
        None
        if good
        else f"a list of at most {variable.longest} links, each as '{{title: Help, url: https://help.acme.com}}'"
    )


def _path(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"/(?!/)[A-Za-z0-9._~/?=&%#-]{0,200}", value))


def _mapping(variable: Variable, value: Any) -> str | None:
    good = isinstance(value, dict) and len(value) <= variable.longest
    return None if good else f"a mapping of at most {variable.longest} keys"


_CHECKS: Mapping[str, Callable[[Variable, Any], str | None]] = {
    "text": _text,
    "email": _matching(_EMAIL, "an e-mail address, for example 'help@acme.com'"),
    "url": _url,
    "place": _place,
    "colour": _matching(_COLOUR, "a colour, for example '#1d4f91'"),
    "number": _number,
    "language": _matching(_LANGUAGE, "a language code, for example 'fr' or 'pt-br'"),
    "timezone": _matching(_TIME_ZONE, "a time zone, for example 'Europe/Vienna'"),
    "texts": _texts,
    "links": _links,
    "mapping": _mapping,
}
