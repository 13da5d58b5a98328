"""gunicorn's settings: gthread workers, forked from the loaded application to share its memory."""

import gc
import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

from gunicorn.glogging import Logger as GunicornLogger

_variant = os.environ["SERVICE_VARIANT"]


class Response(Protocol):
    """What is used of gunicorn's response."""

    status: str


class Logger(GunicornLogger):
    """An access log without the health probe's requests, and without tokens and queries."""

    def access(
        self, resp: Response, req: object, environ: Mapping[str, str], request_time: timedelta
    ) -> None:
        """Log one request."""
        from standin import access

        if environ.get("HTTP_USER_AGENT") == "portal-probe" and resp.status.startswith("200"):
            return
        line = access.line(
            # Set by the load balancer, which replaces a client's own header.
            environ.get("HTTP_X_FORWARDED_FOR", ""),
            environ.get("REQUEST_METHOD", ""),
            access.route_of(environ.get("PATH_INFO", "")),
            resp.status.partition(" ")[0],
            getattr(resp, "sent", None),
            int(request_time.total_seconds() * 1000),
        )
        self.access_log.info("%s", line)

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log an error without the path that gunicorn adds, which may contain a token."""
        if str(msg).startswith("Error handling request"):
            msg, args = "Error handling a request", ()
        super().exception(msg, *args, **kwargs)

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log a warning without the bytes of an invalid request."""
        if str(msg).startswith("Invalid request from"):
            msg, args = "Invalid request", ()
        super().warning(msg, *args, **kwargs)


def when_ready(server: object) -> None:
    """Tell the supervisor that this generation accepts requests, so that it terminates the one before."""
    if descriptor := os.environ.get("OPENEDX_READY_FD"):
        os.write(int(descriptor), b"1")
        os.close(int(descriptor))


def pre_fork(server: object, worker: object) -> None:
    """Keep the garbage collector away from what is loaded so far, so that the processes share its memory."""
    gc.collect()
    gc.freeze()


# The supervisor's socket stays open from one generation to the next, so no connection is refused.
_listen = os.environ.get("OPENEDX_LISTEN_FD")
bind = f"fd://{_listen}" if _listen else "0.0.0.0:{}".format({"lms": 8000, "cms": 8010}[_variant])
workers = max(1, int(os.environ.get("OPENEDX_WORKERS") or 1))
worker_class = "standin.worker.Worker"
# Each thread may hold a connection to MySQL, which has some dozens for the whole portal.
threads = max(4, 8 // workers)
preload_app = True
backlog = 256
timeout = 60
graceful_timeout = 25
keepalive = 75
# gunicorn touches a file here regularly, which must not wait for a disk.
worker_tmp_dir = "/tmp"  # noqa: S108 (a tmpfs of the container)
control_socket_disable = True
logger_class = Logger
accesslog = "-"
