"""Logs to the container's output, with nothing of a request that may be a token."""

import logging
import re

# Links of mails: what follows is good for a log-in or an account.
_TOKENS = re.compile(
    r"/(password_reset_confirm|activate|email_confirm|account/password_reset|portal/first)[^\s\"']*"
)


class Masked(logging.Filter):
    """A path of a link with a token is cut after what says what it is for."""

    def filter(self, record):
        """Always logged."""
        said = record.getMessage()
        masked = _TOKENS.sub(r"/\1/(masked)", said)
        if masked != said:
            record.msg, record.args = masked, ()
        return True


def to_output(logging_):
    """edx-platform's own, without the system's log, which no container has, and without mails to nobody."""
    made = dict(logging_)
    handlers = {}
    for name, handler in made["handlers"].items():
        if name == "mail_admins" or (name != "tracking" and "SysLog" in handler.get("class", "")):
            continue
        # Its text alone: a line of the tracking log is JSON.
        told = dict(handler)
        if "SysLog" in told.get("class", "") or name == "tracking":
            told = {"class": "logging.StreamHandler", "level": "INFO", "formatter": "raw"}
        if told.get("class") == "logging.StreamHandler":
            told["stream"] = "ext://sys.stdout"
        told["filters"] = list(told.get("filters", [])) + ["masked"]
        handlers[name] = told
    made["handlers"] = handlers
    made["filters"] = dict(made.get("filters", {}), masked={"()": "portal_settings.logs.Masked"})
    made["formatters"] = dict(made.get("formatters", {}), raw={"format": "%(message)s"})
    made["loggers"] = {
        name: dict(logger, handlers=[each for each in logger.get("handlers", []) if each in handlers])
        for name, logger in made["loggers"].items()
    }
    # What programmers of edx-platform are to mend: hundreds of lines a start.
    made["loggers"]["py.warnings"] = {"level": "ERROR", "propagate": True}
    return made
