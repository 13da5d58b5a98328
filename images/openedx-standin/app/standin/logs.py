"""What is worth a traceback in the log, and what of a request may be in one."""

import logging

from standin import access


class Failures(logging.Filter):
    """Of the answers that are not 2xx, only our own failures: the access log has the refused and the unavailable."""

    def filter(self, record):
        """Whether to log it."""
        return getattr(record, "status_code", 500) == 500


class Masked(logging.Filter):
    """Django names a request by its path, which may hold a token: here by what the access log shows of it."""

    def filter(self, record):
        """Always logged."""
        if (path := getattr(getattr(record, "request", None), "path", "")) and record.args:
            record.msg, record.args = record.getMessage().replace(path, access.shown(path)), ()
        return True
