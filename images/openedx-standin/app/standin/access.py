"""What a log may show of a request: its route, never its query or content.

A path can contain a token (links in mails), and so can a query, a referrer or a host. So none of them is logged. A path is
logged as the route that it matches, with those parts that are public.
"""

import re
from collections.abc import Mapping

# Parts that everybody in a course sees: its key, and the ids of threads.
PUBLIC_PARTS = frozenset(("key", "thread"))
UNKNOWN = "(no such page)"
_SAFE = re.compile(r"[A-Za-z0-9._:+-]{1,120}")
_PART = re.compile(r"<(?:\w+:)?(\w+)>")
_METHOD = re.compile(r"[A-Z]{1,16}")
_CLIENT = re.compile(r"[0-9a-fA-F.:]{2,45}")


def shape(route: str, parts: Mapping[str, object]) -> str:
    """A route such as `courses/<str:key>/about` as a path, with the parts that may be shown."""

    def part(match: re.Match[str]) -> str:
        name = match[1]
        value = str(parts.get(name, ""))
        return value if name in PUBLIC_PARTS and _SAFE.fullmatch(value) else f"<{name}>"

    # A route that is a regular expression has no such parts, and is shown as it is.
    return "/" + _PART.sub(part, route)


def route_of(path: str) -> str:
    """The route that a path matches, as far as a log may show it."""
    from django.urls import Resolver404, resolve

    try:
        match = resolve(path)
    except (Resolver404, UnicodeError, ValueError):
        return UNKNOWN
    return shape(match.route, match.kwargs)


def line(client: str, method: str, path: str, status: str, size: object, milliseconds: int) -> str:
    """One request in the access log; `path` is what `route_of` returns."""
    client = client if _CLIENT.fullmatch(client) else "-"
    method = method if _METHOD.fullmatch(method) else "?"
    return f"{client} {method} {path} {status} {size or '-'} {milliseconds}ms"
