"""Which tenants a change can touch, as a page for a job's summary: every tenant first, then as many reasons as it has room for."""

from collections.abc import Mapping, Sequence

from automation.review.affected_tenants import Affected
from automation.review.markdown import rows

# GitHub drops the whole summary of a step that is larger than 1 MiB.
LIMIT = 1_000_000
_HEAD = ("tenant", "why")
_ALL = "./portal changed REF"
# What is kept for the last rows, which count what is left out.
_END_BYTES = 1_000
# "and N more", beside a tenant's name.
_MORE_BYTES = 80


def render(affected: Affected, *, limit: int = LIMIT) -> str:
    """The page, of at most `limit` bytes. However many files a change has, they leave no tenant out that fits by itself."""
    reasons = {**affected.tenants, **affected.removed}
    shown, room = _shown(reasons, limit - _END_BYTES)
    lines: list[tuple[str, str]] = []
    for name, count in shown.items():
        lines += [(name, each) for each in reasons[name][:count]]
        if left := len(reasons[name]) - count:
            lines.append((name, f"and {left:,} more"))
    if left := len(reasons) - len(shown):
        lines.append(("", f"and {left:,} more tenants: {_ALL}"))
    notes = _fitting(affected.left, room)
    lines += [("", each) for each in affected.left[:notes]]
    if left := len(affected.left) - notes:
        lines.append(("", f"and {left:,} more files that affect no tenant: {_ALL}"))
    return rows(_HEAD, lines)


def _shown(reasons: Mapping[str, Sequence[str]], room: int) -> tuple[dict[str, int], int]:
    """How many reasons of each tenant are shown, the first of each before the second of any, and the bytes that are left."""
    shown: dict[str, int] = {}
    for number in range(max(map(len, reasons.values()), default=0)):
        for name, why in reasons.items():
            if number >= len(why):
                continue
            size = _size(name, why[number]) + (0 if number else _size(name, "") + _MORE_BYTES)
            if size > room:
                return shown, room
            shown[name] = number + 1
            room -= size
    return shown, room


def _fitting(notes: Sequence[str], room: int) -> int:
    """How many of the first notes fit."""
    for number, each in enumerate(notes):
        room -= _size("", each)
        if room < 0:
            return number
    return len(notes)


def _size(*row: str) -> int:
    """The bytes of one row."""
    return len(rows((), (row,)).encode()) - len(rows((), ()))
