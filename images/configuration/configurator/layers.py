"""Merges the layers of Open edX's settings: pure functions, without files and Ansible.

The order is role's defaults < release < tenant < overrides. Mappings are merged by key; of any other value the last one
wins. Then come EDXAPP_ENV_EXTRA and its variant's own (EDXAPP_LMS_ENV_EXTRA, EDXAPP_CMS_ENV_EXTRA), then the protected
layer. These two replace whole values.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

EXTRA: Mapping[str, tuple[str, str]] = {
    "lms": ("EDXAPP_ENV_EXTRA", "EDXAPP_LMS_ENV_EXTRA"),
    "cms": ("EDXAPP_ENV_EXTRA", "EDXAPP_CMS_ENV_EXTRA"),
}
# Settings under Open edX's own names: merged over the role's output, which never sees them.
SETTINGS = frozenset(name for names in EXTRA.values() for name in names)
SECRET = "secret"  # noqa: S105 (the key of a marker)


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both, merged mapping by mapping; of any other value that both have, the one of `over`."""
    both = {
        key: merged(under[key], over[key])
        for key in under.keys() & over.keys()
        if isinstance(under[key], dict) and isinstance(over[key], dict)
    }
    return {**under, **over, **both}


def merged_layers(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of all layers; the last layer wins."""
    return reduce(merged, layers, {})


def with_extra(settings: Mapping[str, Any], values: Mapping[str, Any], variant: str) -> dict[str, Any]:
    """The role's output, with the settings that a layer has under Open edX's own names merged over it."""
    return reduce(lambda all_, name: {**all_, **values.get(name, {})}, EXTRA[variant], dict(settings))


def with_protected(
    settings: Mapping[str, Any],
    protected: Mapping[str, Any],
    variant: str,
    secret: Callable[[str], str | None],
) -> dict[str, dict[str, Any]]:
    """The content of a variant's files `env` and `auth`: the protected layer, with its secrets, over `settings`.

    Secrets are filled into the protected layer only, so no text of another layer can become a secret. A setting that the
    protected layer has in `auth` is removed from `settings`: software that merges both files would mix the two values.
    """
    env, auth = (with_secrets(protected[kind][variant], secret) for kind in ("env", "auth"))
    below = {key: value for key, value in settings.items() if key not in protected["auth"][variant]}
    return {"env": {**below, **env}, "auth": auth}


def with_secrets(value: Any, secret: Callable[[str], str | None]) -> Any:
    """A value of the protected layer with each marker `{"secret": NAME}` replaced; a key without its secret is left out."""
    if isinstance(value, list):
        return [with_secrets(each, secret) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {SECRET}:
        return secret(value[SECRET])
    inner = {key: with_secrets(each, secret) for key, each in value.items()}
    return {key: each for key, each in inner.items() if each is not None or value[key] is None}
