"""What uWSGI loads: edx-platform's application, which has answered a request of its own where it is to follow another.

Django reads some settings at the first request alone, and uWSGI calls itself ready before it. Asked in a child, whose
connections to the stores no worker gets. For the Python of the oldest release's image, 3.5.
"""

import os
import signal
import sys
import time
from importlib import import_module
from wsgiref.util import setup_testing_defaults

LIMIT_SECONDS = 30
# sysexits.h: a store that is away can be the cause as well, so nothing is refused for it; it is tried again.
TRY_LATER = 75


def load():
    """The application of this variant. One that follows another and fails ends this process: the other goes on."""
    variant = os.environ["SERVICE_VARIANT"]
    application = import_module(variant + ".wsgi").application
    if int(os.environ.get("OPENEDX_GENERATION") or 1) > 1:
        from django.conf import settings

        if fails(application, getattr(settings, variant.upper() + "_BASE")):
            print("openedx: /heartbeat fails with these settings", file=sys.stderr)
            sys.stderr.flush()
            os._exit(TRY_LATER)
    return logged(application)


def logged(application):
    """Each request in one line, without what it was told; none of a probe, which would be most of the log."""

    def answer(environ, start):
        began = time.time()

        def started(line, headers, *error):
            code = line.split(" ", 1)[0]
            if environ.get("PATH_INFO") != "/heartbeat" or code != "200":
                size = {name.lower(): value for name, value in headers}.get("content-length", "-")
                took = (time.time() - began) * 1000
                said = "{} {} {} {:.0f}ms\n".format(environ.get("REQUEST_METHOD", "-")[:10], code, size, took)
                os.write(1, said.encode("ascii", "replace"))
            return start(line, headers, *error)

        return application(environ, started)

    return answer


def fails(application, host):
    """Whether /heartbeat answers 500, or not even that. 503 tells of a store; no answer in time tells nothing."""
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


def status(application, host):
    """The status of a GET of /heartbeat by the host name that Django allows."""
    environ = {"PATH_INFO": "/heartbeat", "HTTP_HOST": host, "REMOTE_ADDR": "127.0.0.1"}
    setup_testing_defaults(environ)
    said = []
    for _ in application(environ, lambda line, headers, error=None: said.append(line)):
        pass
    return int(said[-1].split()[0])
