"""Filters of the log: which failures have a traceback, and no paths in it."""

import logging

from standin import access


class Failures(logging.Filter):
    """Passes only failures of our own (500): the access log has the other answers."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log a record."""
        return bool(getattr(record, "status_code", 500) == 500)


class Masked(logging.Filter):
    """Replaces the path that Django logs, which may contain a token, by its route."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record; it is always logged."""
        if (path := getattr(getattr(record, "request", None), "path", "")) and record.args:
            record.msg, record.args = record.getMessage().replace(path, access.route_of(path)), ()
        return True
