"""Logs to the container's output, with nothing of a request that may be a token or says who somebody is."""

import json
import logging
import re
from collections import OrderedDict

MASKED = "(masked)"
_SLASH = r"(?:/|%2[Ff])"
# Links of mails: what follows is good for a log-in, an account or somebody's subscriptions.
_LINKS = re.compile(
    r"(%s(?:password_reset_confirm|password%sreset|activate(?:_secondary_email)?|email_confirm|account/password_reset"
    r"|portal/first|email/optout|unsubscribe_from_course_goal|notification_prefs/(?:un|re)subscribe))[^\s\"']*"
    % (_SLASH, _SLASH)
)
_QUERY = re.compile(r"\?[^\s\"']+")
# Not the keys of files and blocks, for example asset-v1:a+b+c+type@asset+block@picture.png.
_ADDRESS = re.compile(r"(?<![\w.+%-])[\w.+%-]+(?<!\+block)(?<!%2Bblock)(?:@|%40)[\w-]+(?:\.[\w-]+)+")
# A name before its value: of a form, or as Python shows it.
_NAME = re.compile(r"(?<![\w.-])([\w.-]+)(?:\\{0,15}[\"'])?\s{0,4}[:=]\s{0,4}")
_SECRET = re.compile(
    r"secret|token|passw|passphrase|credential|e-?mail|api_?key|assertion|session_?(?:id|key)"
    r"|^(?:code|code_verifier|auth_code|authorization_code|authorization|cookie|set-cookie|jwt)$",
    re.I,
)
# Of the values of such names, these alone stay.
_STAYS = re.compile(r"(?:true|false|null|none)(?![\w%.+/=-])", re.I)
_BARE = re.compile(r"(?:(?:Bearer|JWT|Basic) )?[^&\s]*")
_OPENING = re.compile(r"\\*[\"']|[\[{(]")


class Masked(logging.Filter):
    """A line says what was asked for, and nothing that came with it."""

    def filter(self, record):
        """Always logged."""
        try:
            said = record.getMessage()
        except Exception:  # noqa: BLE001 (what it is made of may raise anything)
            # logging would show the values that do not fit.
            said = str(record.msg)
        record.msg, record.args = masked(said), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = _traceback(record.exc_text)
        return True


def masked(said):
    """A text without links, queries, addresses, and values of names that may be secret. JSON stays JSON."""
    try:
        return _json(said) if said[:1] in ("{", "[") else _text(said)
    except ValueError:
        return _text(said)
    except RuntimeError:
        # Deeper than this Python follows.
        return MASKED


def _json(said):
    # Always written anew: of a name that stands twice, only what was looked at is there.
    return json.dumps(_node(json.loads(said, object_pairs_hook=OrderedDict)))


def _node(node):
    if isinstance(node, dict):
        return OrderedDict((masked(name), _named(name, inner)) for name, inner in node.items())
    if isinstance(node, list):
        return [_node(inner) for inner in node]
    return masked(node) if isinstance(node, str) else node


def _named(name, node):
    if _SECRET.search(name):
        return node if node is None or isinstance(node, bool) else MASKED
    return _node(node)


def _text(said):
    """Where a value ends cannot be known if it has quotes or brackets: nothing after it stays."""
    said = _QUERY.sub("?" + MASKED, _LINKS.sub(r"\1/" + MASKED, said))
    made, place = [], 0
    while True:
        found = _NAME.search(said, place)
        if not found:
            break
        made.append(said[place : found.end()])
        place = found.end()
        if not _SECRET.search(found.group(1)) or _STAYS.match(said, place):
            continue
        end = len(said) if _OPENING.match(said, place) else _BARE.match(said, place).end()
        made.append(MASKED if end > place else "")
        place = end
    return _ADDRESS.sub(MASKED, "".join(made) + said[place:])


def _traceback(said):
    """The lines of programs stay as they are: they hold names, no values."""
    lines, program = [], False
    for line in said.split("\n"):
        frame = line.startswith('  File "')
        lines.append(line if frame or program else masked(line))
        program = frame
    return "\n".join(lines)


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
