"""Long answers in parts: by numbered pages, or by a cursor that stays true while rows are added."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from api.asking import Refusal

MOST = 100


def address(request: HttpRequest, **changed: str | None) -> str:
    """This request's address with other parameters; None takes one away."""
    told = dict(parse_qsl(request.META.get("QUERY_STRING", ""), keep_blank_values=True))
    told = {key: value for key, value in {**told, **changed}.items() if value is not None}
    query = f"?{urlencode(sorted(told.items()))}" if told else ""
    return f"{request.build_absolute_uri(request.path)}{query}"


def number(told: str) -> int | None:
    """The whole number that a text is; None for anything else, and for one that nothing here could have."""
    return int(told) if told.isascii() and told.isdigit() and len(told) <= 9 else None


def size(request: HttpRequest, usual: int) -> int:
    """How many rows a part has."""
    return min(number(request.GET.get("page_size", "")) or usual, MOST)


def page(
    request: HttpRequest, rows: Sequence[Any], usual: int, word: str = "developer_message"
) -> dict[str, Any]:
    """A numbered page: `results` and `pagination`. Raises Refusal for one that is not there."""
    each = size(request, usual)
    pages = max(1, -(-len(rows) // each))
    this = number(request.GET.get("page", "1"))
    if this is None or not 1 <= this <= pages:
        raise Refusal(404, {word: "Invalid page."})
    before = None if this < 2 else address(request, page=str(this - 1) if this > 2 else None)
    return {
        "results": list(rows[(this - 1) * each : this * each]),
        "pagination": {
            "next": address(request, page=str(this + 1)) if this < pages else None,
            "previous": before,
            "count": len(rows),
            "num_pages": pages,
        },
    }


def part(
    request: HttpRequest,
    rows: QuerySet[Any],
    told: Callable[[Model], dict[str, Any]],
    *,
    newest_first: bool,
) -> dict[str, Any]:
    """Rows after the cursor, in the order of their numbers: `next`, `previous` and `results`."""
    each = size(request, MOST)
    after = _position(request.GET.get("cursor", ""))
    if after is not None:
        rows = rows.filter(pk__lt=after) if newest_first else rows.filter(pk__gt=after)
    found = list(rows.order_by("-pk" if newest_first else "pk")[: each + 1])
    more = len(found) > each
    return {
        "next": address(request, cursor=_cursor(found[each - 1].pk)) if more else None,
        "previous": None,
        "results": [told(row) for row in found[:each]],
    }


def _cursor(position: int) -> str:
    return base64.b64encode(urlencode({"p": position}).encode()).decode()


def _position(cursor: str) -> int | None:
    try:
        told = parse_qs(base64.b64decode(cursor, validate=True).decode("ascii")).get("p", [""])[0]
    except (binascii.Error, ValueError):
        raise Refusal(404, {"developer_message": "Invalid cursor"}) from None
    return number(told)
