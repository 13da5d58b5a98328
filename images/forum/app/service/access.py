"""What the access log shows of a request: the route it takes, never what it was asked or told."""

import re

UNKNOWN = "(no such page)"
_METHOD = re.compile(r"[A-Z]{1,16}")


def shown(path: str) -> str:
    """The path of a request, as far as a log may show it."""
    from django.urls import Resolver404, resolve

    try:
        return f"/{resolve(path).route}"
    except (Resolver404, UnicodeError, ValueError):
        return UNKNOWN


def line(method: str, path: str, status: str, size: object, milliseconds: int) -> str:
    """One request in the access log; `path` is what `shown` gives."""
    return f"{method if _METHOD.fullmatch(method) else '?'} {path} {status} {size or '-'} {milliseconds}ms"
