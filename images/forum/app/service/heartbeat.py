"""/heartbeat, of cs_comments_service's shape: really asks mongo and elasticsearch, within a limit."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock

from django.http import JsonResponse

from service import stores
from service.search import Indices

SECONDS = 4.0


def database() -> None:
    """Mongo answers."""
    stores.database().command("ping")


def search() -> None:
    """Elasticsearch answers, and the index is there."""
    indices = Indices()
    if not indices.exists_aliases(indices.index_names):
        raise LookupError("the index is not there yet")


CHECKS = {"db": database, "es": search}
_threads = ThreadPoolExecutor(max_workers=len(CHECKS), thread_name_prefix="heartbeat")
_lock = Lock()
_under_way: dict[str, "Future[None]"] = {}


def _ask(name: str) -> "Future[None]":
    """The question to a store; one that is still out is joined, so that a hanging store holds one thread, not all."""
    with _lock:
        future = _under_way.get(name)
        if future is None or future.done():
            future = _under_way[name] = _threads.submit(CHECKS[name])
        return future


def heartbeat(request):
    """200, or 503 with what does not answer."""
    asked = {name: _ask(name) for name in CHECKS}
    wait(asked.values(), timeout=SECONDS)
    check = {name: each.done() and each.exception() is None for name, each in asked.items()}
    well = all(check.values())
    return JsonResponse({"OK": well, "check": check}, status=200 if well else 503)
