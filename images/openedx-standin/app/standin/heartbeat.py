"""/heartbeat, of edx-platform's shape: 200 or 503, and JSON of what was asked and what it said."""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import TypedDict

from django.http import JsonResponse
from django.views.decorators.cache import never_cache

from standin.checks import DEFAULT, EXTENDED

# Seconds until the answer is given, whatever is still out.
QUICK, FULL = 4, 5


class Check(TypedDict):
    """One store's line in the answer."""

    status: bool
    message: str


_threads = ThreadPoolExecutor(max_workers=len(EXTENDED), thread_name_prefix="heartbeat")
_lock = Lock()
_under_way: dict[str, Future[None]] = {}


def _ask(name: str) -> "Future[None]":
    """The question to a store; one that is still out is joined, so that a hanging store holds one thread, not all."""
    with _lock:
        future = _under_way.get(name)
        if future is None or future.done():
            future = _under_way[name] = _threads.submit(EXTENDED[name])
        return future


def run(names: Iterable[str], limit: float) -> dict[str, Check]:
    """Asks all at the same time and tells after `limit` seconds at the latest. Never raises."""
    asked = {name: _ask(name) for name in names}
    wait(asked.values(), timeout=limit)
    return {name: _told(future, limit) for name, future in asked.items()}


def _told(future: "Future[None]", limit: float) -> Check:
    if not future.done():
        return {"status": False, "message": f"no answer within {limit:g} s"}
    error = future.exception()
    if error is None:
        return {"status": True, "message": "OK"}
    line = (str(error).splitlines() or [""])[0]
    return {"status": False, "message": f"{type(error).__name__}: {line}"[:200]}


@never_cache
def heartbeat(request):
    """The view."""
    extended = "extended" in request.GET
    checks = run(EXTENDED, FULL) if extended else run(DEFAULT, QUICK)
    return JsonResponse(checks, status=200 if all(each["status"] for each in checks.values()) else 503)
