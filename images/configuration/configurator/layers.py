"""The layers of Open edX's settings laid over each other: pure functions, no file, no Ansible.

role's defaults < release < tenant < overrides, mappings merged by key, of anything else the later wins; then
EDXAPP_ENV_EXTRA and the variant's own, then what the operator protects, both as whole values.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

EXTRA: Mapping[str, tuple[str, str]] = {
    "lms": ("EDXAPP_ENV_EXTRA", "EDXAPP_LMS_ENV_EXTRA"),
    "cms": ("EDXAPP_ENV_EXTRA", "EDXAPP_CMS_ENV_EXTRA"),
}
# Settings of Open edX by their own names: laid over what the role made, never seen by it.
SETTINGS = frozenset(name for names in EXTRA.values() for name in names)
SECRET = "secret"  # noqa: S105 (the key of a marker)


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both, mapping by mapping; anything else is `over`'s where both have it."""
    both = {
        key: merged(under[key], over[key])
        for key in under.keys() & over.keys()
        if isinstance(under[key], dict) and isinstance(over[key], dict)
    }
    return {**under, **over, **both}


def variables(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of all layers, the last wins."""
    return reduce(merged, layers, {})


def with_extra(settings: Mapping[str, Any], values: Mapping[str, Any], variant: str) -> dict[str, Any]:
    """What the role made, under the settings that a layer has by their own names."""
    return reduce(lambda all_, name: {**all_, **values.get(name, {})}, EXTRA[variant], dict(settings))


def protected_over(
    settings: Mapping[str, Any],
    protected: Mapping[str, Any],
    variant: str,
    secret: Callable[[str], str | None],
) -> dict[str, dict[str, Any]]:
    """The files `env` and `auth` of a variant: `settings` under what the operator protects, with its secrets.

    Secrets are filled into the protected layer alone, so no text of another layer can become one. A setting that the
    operator has in `auth` is taken out of `settings`: software that merges both files would mix them.
    """
    env, auth = (filled(protected[kind][variant], secret) for kind in ("env", "auth"))
    below = {key: value for key, value in settings.items() if key not in protected["auth"][variant]}
    return {"env": {**below, **env}, "auth": auth}


def filled(value: Any, secret: Callable[[str], str | None]) -> Any:
    """A value of the protected layer with each marker `{"secret": NAME}` replaced; one without a secret stays out."""
    if isinstance(value, list):
        return [filled(each, secret) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {SECRET}:
        return secret(value[SECRET])
    inner = {key: filled(each, secret) for key, each in value.items()}
    return {key: each for key, each in inner.items() if each is not None or value[key] is None}
