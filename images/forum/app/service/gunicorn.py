"""gunicorn's settings: one gthread worker, forked from the loaded application so that it shares its memory."""

import gc

from gunicorn.glogging import Logger as GunicornLogger


class Logger(GunicornLogger):
    """An access log without the health probe's own requests, one every few seconds."""

    def access(self, resp, req, environ, request_time):
        if environ.get("HTTP_USER_AGENT") == "portal-probe" and resp.status.startswith("200"):
            return
        super().access(resp, req, environ, request_time)


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
worker_class = "gthread"
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
access_log_format = '"%(r)s" %(s)s %(b)s %(M)sms'
