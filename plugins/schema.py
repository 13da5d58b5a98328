"""What a resource type accepts, as data, and the check of a program's inputs against it."""

import difflib
import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pulumi.provider.experimental.property_value import PropertyValue

from plugins.values import Plain, is_unknown


class Kind(enum.Enum):
    """The shape of a property's value; the text is what an error calls it."""

    STRING = "a string"
    INTEGER = "a whole number"
    BOOLEAN = "true or false"
    LIST = "a list"
    MAP = "a mapping of strings"
    OBJECT = "a mapping"


class Change(enum.Enum):
    """What a changed property asks for."""

    UPDATE = "update"
    REPLACE = "replace"


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of a resource or of an object inside it."""

    name: str
    kind: Kind
    default: Plain = None
    change: Change = Change.REPLACE
    removal: Change | None = None
    """What taking the value away asks for, where that is not what a change asks for."""
    required: bool = False
    minimum: int | None = None
    pattern: str = ""
    rule: Callable[[str], str] | None = None
    """Says what a string is not, as in "is not a duration", or returns ''."""
    items: "Property | None" = None
    """Of a LIST: what each element is."""
    fields: "tuple[Property, ...]" = ()
    """Of an OBJECT: what it holds."""
    unordered: bool = False
    """Of a LIST: the order of its elements means nothing."""
    whole: bool = False
    """Of a LIST: a difference is told of the list, not of one element."""
    served: bool = True
    """False: known to the SDK, and refused by this plugin."""


@dataclass(frozen=True, kw_only=True)
class Type:
    """One resource type."""

    name: str
    """Its type token."""
    properties: tuple[Property, ...]
    named: bool = False
    """A name is made up where the program gives none."""
    delete_first: bool = False
    """The old one is deleted before its replacement is created."""
    secret_outputs: frozenset[str] = frozenset()
    rules: tuple[Callable[[Mapping[str, Plain]], tuple[str, str] | None], ...] = ()
    """Rules over several properties: (property, reason) where one is broken."""
    by_name: Mapping[str, Property] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {each.name: each for each in self.properties})


@dataclass(frozen=True)
class Failure:
    """One thing wrong with the inputs: where, and why."""

    path: str
    reason: str


def check(
    resource: Type, inputs: Mapping[str, PropertyValue]
) -> tuple[dict[str, PropertyValue], list[Failure]]:
    """Return `inputs` with scalars turned into their proper type, and all that is wrong with them."""
    failures: list[Failure] = []
    checked = _fields(resource.properties, inputs, "", failures)
    return checked, failures


def _fields(
    properties: tuple[Property, ...],
    values: Mapping[str, PropertyValue],
    path: str,
    failures: list[Failure],
) -> dict[str, PropertyValue]:
    known = {each.name: each for each in properties}
    checked: dict[str, PropertyValue] = {}
    for name, value in values.items():
        if name.startswith("__"):
            continue
        where = join(path, name)
        if name not in known:
            failures.append(Failure(where, f"unknown property{_suggestion(name, known)}"))
        elif value.value is None:
            continue
        elif not known[name].served:
            failures.append(
                Failure(where, "not served by this plugin; leave it out or use the official plugin")
            )
        else:
            checked[name] = _value(known[name], value, where, failures)
    for each in properties:
        if each.required and each.name not in checked and not _failed(failures, join(path, each.name)):
            failures.append(Failure(join(path, each.name), "required, but not given"))
    return checked


def _value(known: Property, value: PropertyValue, path: str, failures: list[Failure]) -> PropertyValue:
    data = value.value
    if is_unknown(value):
        return value
    if known.kind is Kind.LIST and isinstance(data, tuple) and known.items is not None:
        element = known.items
        return value.with_value(
            [_value(element, each, f"{path}[{index}]", failures) for index, each in enumerate(data)]
        )
    if known.kind is Kind.OBJECT and isinstance(data, Mapping):
        return value.with_value(_fields(known.fields, data, path, failures))
    if known.kind is Kind.MAP and isinstance(data, Mapping):
        text = Property(name=known.name, kind=Kind.STRING)
        return value.with_value(
            {key: _value(text, each, join(path, key), failures) for key, each in data.items()}
        )
    scalar = _scalar(known.kind, data)
    if scalar is None:
        failures.append(Failure(path, f"expected {known.kind.value}, got {_described(data)}"))
        return value
    reason = _broken(known, scalar, "[secret]" if value.is_secret else repr(scalar))
    if reason:
        failures.append(Failure(path, reason))
    return value.with_value(scalar)


def _scalar(kind: Kind, data: object) -> bool | float | str | None:
    """Return `data` as a scalar of `kind`, or None where it is none: '5' is a whole number, 5 a string."""
    if kind is Kind.BOOLEAN:
        return data if isinstance(data, bool) else {"true": True, "false": False}.get(str(data))
    if kind is Kind.INTEGER:
        if isinstance(data, str) and re.fullmatch(r"-?[0-9]{1,18}", data):
            return float(data)
        is_whole = isinstance(data, float) and data.is_integer()
        return data if is_whole and isinstance(data, float) else None
    if kind is Kind.STRING:
        if isinstance(data, bool):
            return str(data).lower()
        if isinstance(data, float):
            return str(int(data)) if data.is_integer() else str(data)
        return data if isinstance(data, str) else None
    return None


def _broken(known: Property, data: bool | float | str, shown: str) -> str:
    if known.minimum is not None and isinstance(data, float) and data < known.minimum:
        return f"{shown.removesuffix('.0')} is lower than {known.minimum}"
    if known.pattern and isinstance(data, str) and not re.fullmatch(known.pattern, data):
        return f"{shown} does not match {known.pattern}"
    if known.rule and isinstance(data, str):
        wrong = known.rule(data)
        return f"{shown} {wrong}" if wrong else ""
    return ""


def _described(data: object) -> str:
    if isinstance(data, Mapping):
        return "a mapping"
    if isinstance(data, tuple):
        return "a list"
    # A string may hold a secret: say what it is, not what it says.
    return "a string" if isinstance(data, str) else f"{data}".lower()


def _suggestion(name: str, known: Mapping[str, Property]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _failed(failures: list[Failure], path: str) -> bool:
    return any(each.path == path for each in failures)


def join(path: str, name: str) -> str:
    """Return the property path of `name` inside `path`, as Pulumi writes it."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return f'{path}["{name}"]'
    return f"{path}.{name}" if path else name
