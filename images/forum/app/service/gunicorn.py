"""gunicorn's settings: one gthread worker, forked from the loaded application to share its memory."""

import gc
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

from gunicorn.glogging import Logger as GunicornLogger


class Response(Protocol):
    """What is used of gunicorn's response."""

    status: str


class Logger(GunicornLogger):
    """An access log without the health probe's requests, and without paths and queries."""

    def access(
        self, resp: Response, req: object, environ: Mapping[str, str], request_time: timedelta
    ) -> None:
        """Log one request."""
        from service import access

        if environ.get("HTTP_USER_AGENT") == "portal-probe" and resp.status.startswith("200"):
            return
        line = access.line(
            environ.get("REQUEST_METHOD", ""),
            access.route_of(environ.get("PATH_INFO", "")),
            resp.status.partition(" ")[0],
            getattr(resp, "sent", None),
            int(request_time.total_seconds() * 1000),
        )
        self.access_log.info("%s", line)

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log an error without the path that gunicorn adds."""
        if str(msg).startswith("Error handling request"):
            msg, args = "Error handling a request", ()
        super().exception(msg, *args, **kwargs)

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Log a warning without the bytes of an invalid request."""
        if str(msg).startswith("Invalid request from"):
            msg, args = "Invalid request", ()
        super().warning(msg, *args, **kwargs)


def pre_fork(server: object, worker: object) -> None:
    """Keep the garbage collector away from what is loaded so far, so that the processes share its memory."""
    gc.collect()
    gc.freeze()


def post_worker_init(worker: object) -> None:
    """Start the index thread in the worker, because threads do not survive a fork."""
    from service.indexer import INDEXER

    INDEXER.start()


bind = "0.0.0.0:4567"
workers = 1
worker_class = "service.worker.Worker"
threads = 8
preload_app = True
backlog = 256
timeout = 60
graceful_timeout = 20
keepalive = 75
# gunicorn touches a file here regularly, which must not wait for a disk.
worker_tmp_dir = "/tmp"  # noqa: S108 (a tmpfs of the container)
control_socket_disable = True
logger_class = Logger
accesslog = "-"
