"""gunicorn's settings: gthread workers forked from one loaded application, so that they share its memory."""

import gc
import os

from gunicorn.glogging import Logger as GunicornLogger

_variant = os.environ["SERVICE_VARIANT"]


class Logger(GunicornLogger):
    """An access log without the health probe's own requests, one every few seconds, and without anybody's secrets."""

    def access(self, resp, req, environ, request_time):
        from standin import access

        if environ.get("HTTP_USER_AGENT") == "portal-probe" and resp.status.startswith("200"):
            return
        told = access.line(
            # The load balancer's word; it overwrites what a client says.
            environ.get("HTTP_X_FORWARDED_FOR", ""),
            environ.get("REQUEST_METHOD", ""),
            access.shown(environ.get("PATH_INFO", "")),
            resp.status.partition(" ")[0],
            getattr(resp, "sent", None),
            int(request_time.total_seconds() * 1000),
        )
        self.access_log.info("%s", told)

    def exception(self, msg, *args, **kwargs):
        """Without the address that gunicorn adds: it may hold a token."""
        if str(msg).startswith("Error handling request"):
            msg, args = "Error handling a request", ()
        super().exception(msg, *args, **kwargs)

    def warning(self, msg, *args, **kwargs):
        """Without the bytes of a request that is none."""
        if str(msg).startswith("Invalid request from"):
            msg, args = "Invalid request", ()
        super().warning(msg, *args, **kwargs)


def when_ready(server):
    """Whoever started us may now end the one before us: the application is loaded, the socket is ours too."""
    if told := os.environ.get("OPENEDX_READY_FD"):
        os.write(int(told), b"1")
        os.close(int(told))


def pre_fork(server, worker):
    """What is loaded by now is left alone by the collector from here on, so that the processes go on sharing it."""
    gc.collect()
    gc.freeze()


# A socket that was open before us stays open after us: no request meets a closed door while we are replaced.
_listen = os.environ.get("OPENEDX_LISTEN_FD")
bind = f"fd://{_listen}" if _listen else "0.0.0.0:{}".format({"lms": 8000, "cms": 8010}[_variant])
workers = max(1, int(os.environ.get("OPENEDX_WORKERS") or 1))
worker_class = "standin.worker.Worker"
# Each may hold a connection to MySQL, which has some dozens for all of the portal.
threads = max(4, 8 // workers)
preload_app = True
backlog = 256
timeout = 60
graceful_timeout = 25
keepalive = 75
# Its heartbeat file must not wait for a disk.
worker_tmp_dir = "/tmp"  # noqa: S108 (a tmpfs of the container)
control_socket_disable = True
logger_class = Logger
accesslog = "-"
