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
    values = dict(parse_qsl(request.META.get("QUERY_STRING", ""), keep_blank_values=True))
    values = {key: value for key, value in {**values, **changed}.items() if value is not None}
    query = f"?{urlencode(sorted(values.items()))}" if values else ""
    return f"{request.build_absolute_uri(request.path)}{query}"


def number(values: str) -> int | None:
    """The whole number that a text is; None for anything else, and for one that nothing here could have."""
    return int(values) if values.isascii() and values.isdigit() and len(values) <= 9 else None


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
    values: Callable[[Model], dict[str, Any]],
    *,
    newest_first: bool,
) -> dict[str, Any]:
    """Rows from the cursor on, in the order of their numbers, with the ways to those behind and before them."""
    each = size(request, MOST)
    position, back = _position(request.GET.get("cursor", ""))
    # Whether the numbers fall on the way.
    falling = newest_first is not back
    if position is not None:
        rows = rows.filter(pk__lt=position) if falling else rows.filter(pk__gt=position)
    page_rows = list(rows.order_by("-pk" if falling else "pk")[: each + 1])
    more, page_rows = len(page_rows) > each, page_rows[:each]
    if back:
        page_rows.reverse()
    ahead, behind = (bool(page_rows), more) if back else (more, bool(page_rows) and position is not None)
    return {
        "next": address(request, cursor=_cursor(p=page_rows[-1].pk)) if ahead else None,
        "previous": address(request, cursor=_cursor(r=1, p=page_rows[0].pk)) if behind else None,
        "results": [values(row) for row in page_rows],
    }


def _cursor(**values: int) -> str:
    return base64.b64encode(urlencode(values).encode()).decode()


def _position(cursor: str) -> tuple[int | None, bool]:
    """The number from which on rows are asked for, and whether it is back from there."""
    try:
        values = parse_qs(base64.b64decode(cursor, validate=True).decode("ascii"))
    except (binascii.Error, ValueError):
        raise Refusal(404, {"developer_message": "Invalid cursor"}) from None
    return number(values.get("p", [""])[0]), values.get("r") == ["1"]
