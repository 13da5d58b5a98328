"""Pulumi's property values as plain Python data, and back."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from pulumi.provider.experimental.property_value import Computed, PropertyValue
from pulumi.runtime.rpc import UNKNOWN as UNKNOWN_TEXT

Plain = Any
"""None, bool, int, float, str, list, dict or UNKNOWN; nested."""


class Unknown:
    """A value that only an `up` will tell."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()

UNKNOWN_TEXTS = frozenset(
    {
        UNKNOWN_TEXT,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""How the engine writes an unknown string, boolean, number, list, asset, archive and mapping. The SDK's
property values leave them as they are."""


def is_unknown(value: PropertyValue) -> bool:
    """Tell whether only an `up` will tell this value."""
    data = value.value
    return isinstance(data, Computed) or (isinstance(data, str) and data in UNKNOWN_TEXTS)


def plain(value: PropertyValue) -> Plain:
    """Return the data of `value` without its secrecy. Whole numbers become int.

    Raises TypeError for what no property of ours can be: an asset, an archive, a reference to a resource.
    """
    data = value.value
    if is_unknown(value):
        return UNKNOWN
    if isinstance(data, float) and data.is_integer():
        return int(data)
    if data is None or isinstance(data, bool | float | str):
        return data
    if isinstance(data, Mapping):
        return {key: plain(each) for key, each in data.items() if each.value is not None}
    if isinstance(data, tuple):
        return [plain(each) for each in data]
    raise TypeError(f"a {type(data).__name__} is not accepted here")


def plain_map(values: Mapping[str, PropertyValue]) -> dict[str, Plain]:
    """Return all of `values` as plain data, without Pulumi's own entries and without nulls."""
    return {
        key: plain(value)
        for key, value in values.items()
        if not key.startswith("__") and value.value is not None
    }


def wrap(data: Plain) -> PropertyValue:
    """Return plain data as a property value that is not secret."""
    if data is UNKNOWN:
        return PropertyValue(UNKNOWN_TEXT)
    if isinstance(data, Mapping):
        return PropertyValue({key: wrap(each) for key, each in data.items()})
    if isinstance(data, list | tuple):
        return PropertyValue([wrap(each) for each in data])
    if isinstance(data, int) and not isinstance(data, bool):
        return PropertyValue(float(data))
    return PropertyValue(data)


def wrap_map(data: Mapping[str, Plain], secret: Collection[str] = ()) -> dict[str, PropertyValue]:
    """Return plain data as property values; those named in `secret` are secret as a whole."""
    return {key: wrap(each).with_secret(key in secret) for key, each in data.items()}


def secret_keys(values: Mapping[str, PropertyValue]) -> frozenset[str]:
    """Return the names whose value holds a secret, however deep."""
    return frozenset(key for key, value in values.items() if value.contains_secret())
