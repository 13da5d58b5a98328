"""/heartbeat, in the format of cs_comments_service: asks mongo and elasticsearch, within a time limit."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock

from django.http import HttpRequest, JsonResponse

from service import stores
from service.search import Indices

SECONDS = 4.0


def check_database() -> None:
    """Raises if mongo does not answer."""
    stores.database().command("ping")


def check_search() -> None:
    """Raises if elasticsearch does not answer or has no index."""
    indices = Indices()
    if not indices.exists_aliases(indices.index_names):
        raise LookupError("the index does not exist yet")


CHECKS = {"db": check_database, "es": check_search}
_threads = ThreadPoolExecutor(max_workers=len(CHECKS), thread_name_prefix="heartbeat")
_lock = Lock()
_under_way: dict[str, "Future[None]"] = {}


def _start_check(name: str) -> "Future[None]":
    """A running check of a store. A check that has not ended is used again, so that a hanging store holds only one thread."""
    with _lock:
        future = _under_way.get(name)
        if future is None or future.done():
            future = _under_way[name] = _threads.submit(CHECKS[name])
        return future


def heartbeat(request: HttpRequest) -> JsonResponse:
    """200, or 503 with the stores that do not answer."""
    running = {name: _start_check(name) for name in CHECKS}
    wait(running.values(), timeout=SECONDS)
    check = {name: each.done() and each.exception() is None for name, each in running.items()}
    well = all(check.values())
    return JsonResponse({"OK": well, "check": check}, status=200 if well else 503)
