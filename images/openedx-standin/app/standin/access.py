"""What a log may show of a request: the page it was for, by the application's own list, and never what it was told.

A path can hold a token (the links of mails), and so can a query, a referrer or a host. So none of them is written: a
path is shown as the route that it takes, with those of its parts that are nobody's secret.
"""

import re
from collections.abc import Mapping

# A course's key and a thread's number stand on pages that everybody of a course sees.
SHOWN = frozenset(("key", "thread"))
UNKNOWN = "(no such page)"
_SAFE = re.compile(r"[A-Za-z0-9._:+-]{1,120}")
_PART = re.compile(r"<(?:\w+:)?(\w+)>")
_METHOD = re.compile(r"[A-Z]{1,16}")
_CLIENT = re.compile(r"[0-9a-fA-F.:]{2,45}")


def shape(route: str, parts: Mapping[str, object]) -> str:
    """A route such as `courses/<str:key>/about` as a path, with the parts that may be shown."""

    def part(found: re.Match[str]) -> str:
        name = found[1]
        value = str(parts.get(name, ""))
        return value if name in SHOWN and _SAFE.fullmatch(value) else f"<{name}>"

    # A route that is a regular expression has no parts; what is shown is the expression.
    return "/" + _PART.sub(part, route)


def shown(path: str) -> str:
    """The path of a request, as far as a log may show it."""
    from django.urls import Resolver404, resolve

    try:
        match = resolve(path)
    except (Resolver404, UnicodeError, ValueError):
        return UNKNOWN
    return shape(match.route, match.kwargs)


def line(client: str, method: str, path: str, status: str, size: object, milliseconds: int) -> str:
    """One request in the access log; `path` is what `shown` gives."""
    client = client if _CLIENT.fullmatch(client) else "-"
    method = method if _METHOD.fullmatch(method) else "?"
    return f"{client} {method} {path} {status} {size or '-'} {milliseconds}ms"
