"""gunicorn's settings: gthread workers forked from one loaded application, so that they share its memory."""

import gc
import os

from gunicorn.glogging import Logger as GunicornLogger

from standin import config as _config

_variant = os.environ["SERVICE_VARIANT"]
_settings = _config.load(_variant, os.environ)


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


bind = "0.0.0.0:{}".format({"lms": 8000, "cms": 8010}[_variant])
workers = max(1, int(_settings.get("WORKERS") or 1))
worker_class = "gthread"
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
access_log_format = '%({x-forwarded-for}i)s "%(r)s" %(s)s %(b)s %(M)sms'
