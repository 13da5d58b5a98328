"""The module that uWSGI loads: edx-platform's application. A later generation first answers a test request.

Django reads some settings only at the first request, and uWSGI reports that it is ready earlier. The request is made in
a child process, so that no worker inherits its connections to the stores. The pages' code is loaded before uWSGI makes
its workers, so that they share it. Otherwise each of them loads it at its first request, all at once, while nobody else
answers any more. This runs in the Python of the oldest release's image, 3.5.
"""

import gc
import os
import signal
import sys
import time
from importlib import import_module
from typing import Any, Callable, Iterable
from wsgiref.util import setup_testing_defaults

Application = Callable[[Any, Any], Iterable[bytes]]
LIMIT_SECONDS = 30
# sysexits.h, temporary: an unavailable store can be the cause, too, so the version is tried again and not refused.
TRY_LATER = 75


def load() -> Application:
    """The application of this variant. Ends this process if a later generation fails the test request."""
    variant = os.environ["SERVICE_VARIANT"]
    application = import_module(variant + ".wsgi").application  # type: Application
    load_pages()
    if int(os.environ.get("OPENEDX_GENERATION") or 1) > 1:
        from django.conf import settings

        if fails(application, getattr(settings, variant.upper() + "_BASE")):
            print("openedx: /heartbeat fails with these settings", file=sys.stderr)
            sys.stderr.flush()
            os._exit(TRY_LATER)
    return logged(application)


def load_pages() -> None:
    """Load the code of all pages. If it fails, each request says why."""
    from django.db import connections
    from django.urls import get_resolver

    try:
        # Reading it imports the views.
        get_resolver().reverse_dict  # noqa: B018
    except Exception as error:  # noqa: BLE001 (code of the release, and of whoever made the image)
        print("openedx: the pages cannot be loaded: {!r}".format(error), file=sys.stderr)
        sys.stderr.flush()
    # No worker inherits a connection that an import may have opened.
    connections.close_all()
    if hasattr(gc, "freeze"):
        # A collection writes into every object that it looks at. What is never written stays shared by all workers.
        gc.collect()
        gc.freeze()


def logged(application: Application) -> Application:
    """The application with one log line for each request, without paths and queries, and without requests of the probe."""

    def answer(environ: Any, start: Any) -> Iterable[bytes]:
        began = time.time()

        def started(line: str, headers: Any, *error: Any) -> Any:
            code = line.split(" ", 1)[0]
            if environ.get("PATH_INFO") != "/heartbeat" or code != "200":
                size = {name.lower(): value for name, value in headers}.get("content-length", "-")
                took = (time.time() - began) * 1000
                text = "{} {} {} {:.0f}ms\n".format(environ.get("REQUEST_METHOD", "-")[:10], code, size, took)
                os.write(1, text.encode("ascii", "replace"))
            return start(line, headers, *error)

        return application(environ, started)

    return answer


def fails(application: Application, host: str) -> bool:
    """Whether a request of /heartbeat is answered 500 or raises. 503 (a store) and a time-out are no failure."""
    child = os.fork()
    if not child:
        code = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(LIMIT_SECONDS)
            code = int(status(application, host) == 500)
        finally:
            os._exit(code)
    ended = os.waitpid(child, 0)[1]
    return os.WIFEXITED(ended) and os.WEXITSTATUS(ended) != 0


def status(application: Application, host: str) -> int:
    """The status code of GET /heartbeat with the host name that Django allows."""
    environ = {"PATH_INFO": "/heartbeat", "HTTP_HOST": host, "REMOTE_ADDR": "127.0.0.1"}
    setup_testing_defaults(environ)
    lines = [""]
    for _ in application(environ, lambda line, headers, error=None: lines.append(line)):
        pass
    return int(lines[-1].split()[0])
