"""What is worth a traceback in the log."""

import logging


class Failures(logging.Filter):
    """Of the answers that are not 2xx, only our own failures: the access log has the refused and the unavailable."""

    def filter(self, record):
        """Whether to log it."""
        return getattr(record, "status_code", 500) == 500
