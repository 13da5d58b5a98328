"""What the access log shows of a request: the name of its route, never its path, query or content."""

import re

UNKNOWN = "(no such page)"
_METHOD = re.compile(r"[A-Z]{1,16}")


def route_of(path: str) -> str:
    """The route that a path matches: the part of it that a log may show."""
    from django.urls import Resolver404, resolve

    try:
        return f"/{resolve(path).route}"
    except (Resolver404, UnicodeError, ValueError):
        return UNKNOWN


def line(method: str, path: str, status: str, size: object, milliseconds: int) -> str:
    """The line of one request in the access log; `path` is what `route_of` returns."""
    return f"{method if _METHOD.fullmatch(method) else '?'} {path} {status} {size or '-'} {milliseconds}ms"
