"""Short words for the tables of properties."""

from plugins.schema import Change, Kind, Property
from plugins.values import Plain

UPDATE = Change.UPDATE
REPLACE = Change.REPLACE


def text(
    name: str, change: Change = REPLACE, default: Plain = None, pattern: str = "", **more: Plain
) -> Property:
    """A string."""
    return Property(name=name, kind=Kind.STRING, change=change, default=default, pattern=pattern, **more)


def number(
    name: str, change: Change = REPLACE, default: Plain = None, minimum: int | None = None, **more: Plain
) -> Property:
    """A whole number."""
    return Property(name=name, kind=Kind.INTEGER, change=change, default=default, minimum=minimum, **more)


def limit(name: str, default: Plain = None, minimum: int | None = 0) -> Property:
    """A limit that the engine can change, but not take away from a container that runs."""
    return number(name, UPDATE, default, minimum, removal=REPLACE)


def flag(name: str, change: Change = REPLACE, default: bool | None = False) -> Property:
    """True or false."""
    return Property(name=name, kind=Kind.BOOLEAN, change=change, default=default)


def texts(name: str, change: Change = REPLACE, unordered: bool = False, **more: Plain) -> Property:
    """A list of strings."""
    item = Property(name=name, kind=Kind.STRING)
    return Property(name=name, kind=Kind.LIST, change=change, items=item, unordered=unordered, **more)


def mapping(name: str, change: Change = REPLACE, **more: Plain) -> Property:
    """A mapping of strings."""
    return Property(name=name, kind=Kind.MAP, change=change, **more)


def record(name: str, *fields: Property, change: Change = REPLACE, **more: Plain) -> Property:
    """A mapping with fields of its own."""
    return Property(name=name, kind=Kind.OBJECT, change=change, fields=fields, **more)


def records(name: str, *fields: Property, unordered: bool = True, whole: bool = False) -> Property:
    """A list of mappings with fields of their own; their order means nothing unless said."""
    item = Property(name=name, kind=Kind.OBJECT, fields=fields)
    return Property(name=name, kind=Kind.LIST, items=item, unordered=unordered, whole=whole)


def labels(name: str = "labels") -> Property:
    """Labels, as the SDK writes them: a list of label and value."""
    return records(name, text("label", required=True), text("value", required=True))


def unserved(name: str) -> Property:
    """A property of the SDK that this plugin refuses."""
    return Property(name=name, kind=Kind.STRING, served=False)
