"""/heartbeat, in edx-platform's format: 200 or 503, and JSON with the result of each check."""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import TypedDict

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from standin.checks import DEFAULT, EXTENDED

# Seconds until the answer, also if checks have not ended.
QUICK, FULL = 4, 5


class Check(TypedDict):
    """The result of one store's check."""

    status: bool
    message: str


_threads = ThreadPoolExecutor(max_workers=len(EXTENDED), thread_name_prefix="heartbeat")
_lock = Lock()
_under_way: dict[str, Future[None]] = {}


def _start_check(name: str) -> "Future[None]":
    """A running check of a store. A check that has not ended is used again, so that a hanging store holds only one thread."""
    with _lock:
        future = _under_way.get(name)
        if future is None or future.done():
            future = _under_way[name] = _threads.submit(EXTENDED[name])
        return future


def run(names: Iterable[str], limit: float) -> dict[str, Check]:
    """Run checks at the same time; returns their results after at most `limit` seconds. Never raises."""
    running = {name: _start_check(name) for name in names}
    wait(running.values(), timeout=limit)
    return {name: _result(future, limit) for name, future in running.items()}


def _result(future: "Future[None]", limit: float) -> Check:
    if not future.done():
        return {"status": False, "message": f"no answer within {limit:g} s"}
    error = future.exception()
    if error is None:
        return {"status": True, "message": "OK"}
    line = (str(error).splitlines() or [""])[0]
    return {"status": False, "message": f"{type(error).__name__}: {line}"[:200]}


@never_cache
def heartbeat(request: HttpRequest) -> JsonResponse:
    """The view."""
    extended = "extended" in request.GET
    checks = run(EXTENDED, FULL) if extended else run(DEFAULT, QUICK)
    return JsonResponse(checks, status=200 if all(each["status"] for each in checks.values()) else 503)
