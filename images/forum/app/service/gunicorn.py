"""gunicorn's settings: one gthread worker, forked from the loaded application so that it shares its memory."""

import gc

from gunicorn.glogging import Logger as GunicornLogger


class Logger(GunicornLogger):
    """An access log without the health probe's own requests, one every few seconds, and without what they hold."""

    def access(self, resp, req, environ, request_time):
        from service import access

        if environ.get("HTTP_USER_AGENT") == "portal-probe" and resp.status.startswith("200"):
            return
        told = access.line(
            environ.get("REQUEST_METHOD", ""),
            access.shown(environ.get("PATH_INFO", "")),
            resp.status.partition(" ")[0],
            getattr(resp, "sent", None),
            int(request_time.total_seconds() * 1000),
        )
        self.access_log.info("%s", told)

    def exception(self, msg, *args, **kwargs):
        """Without the address that gunicorn adds."""
        if str(msg).startswith("Error handling request"):
            msg, args = "Error handling a request", ()
        super().exception(msg, *args, **kwargs)

    def warning(self, msg, *args, **kwargs):
        """Without the bytes of a request that is none."""
        if str(msg).startswith("Invalid request from"):
            msg, args = "Invalid request", ()
        super().warning(msg, *args, **kwargs)


def pre_fork(server, worker):
    """What is loaded by now is left alone by the collector from here on, so that the processes go on sharing it."""
    gc.collect()
    gc.freeze()


def post_worker_init(worker):
    """Threads do not survive a fork."""
    from service.keeper import KEEPER

    KEEPER.start()


bind = "0.0.0.0:4567"
workers = 1
worker_class = "service.worker.Worker"
threads = 8
preload_app = True
backlog = 256
timeout = 60
graceful_timeout = 20
keepalive = 75
# Its heartbeat file must not wait for a disk.
worker_tmp_dir = "/tmp"  # noqa: S108 (a tmpfs of the container)
control_socket_disable = True
logger_class = Logger
accesslog = "-"
