"""Logging to the container's output, without tokens and personal data of requests."""

import json
import logging
import re
from collections import OrderedDict
from typing import Any, Dict

Logging = Dict[str, Any]

MASKED = "(masked)"
_SLASH = r"(?:/|%2[Ff])"
# Links in mails: the rest of the path is a token for a log-in, an account or a subscription.
_LINKS = re.compile(
    r"(%s(?:password_reset_confirm|password%sreset|activate(?:_secondary_email)?|email_confirm|account/password_reset"
    r"|portal/first|email/optout|unsubscribe_from_course_goal|notification_prefs/(?:un|re)subscribe))[^\s\"']*"
    % (_SLASH, _SLASH)
)
_QUERY = re.compile(r"\?[^\s\"']+")
# Except keys of files and blocks, for example asset-v1:a+b+c+type@asset+block@picture.png.
_ADDRESS = re.compile(r"(?<![\w.+%-])[\w.+%-]+(?<!\+block)(?<!%2Bblock)(?:@|%40)[\w-]+(?:\.[\w-]+)+")
# A name before its value, in a form or in Python's notation.
_NAME = re.compile(r"(?<![\w.-])([\w.-]+)(?:\\{0,15}[\"'])?\s{0,4}[:=]\s{0,4}")
_SECRET = re.compile(
    r"secret|token|passw|passphrase|credential|e-?mail|api_?key|assertion|session_?(?:id|key)"
    r"|^(?:code|code_verifier|auth_code|authorization_code|authorization|cookie|set-cookie|jwt)$",
    re.I,
)
# Values of such names that are not masked.
_STAYS = re.compile(r"(?:true|false|null|none)(?![\w%.+/=-])", re.I)
_BARE = re.compile(r"(?:(?:Bearer|JWT|Basic) )?[^&\s]*")
_OPENING = re.compile(r"\\*[\"']|[\[{(]")


class Masked(logging.Filter):
    """Masks each record's text and traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record; it is always logged."""
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 (the arguments may raise anything)
            # logging itself would show the arguments that do not fit.
            text = str(record.msg)
        record.msg, record.args = masked(text), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = _traceback(record.exc_text)
        return True


def masked(text: str) -> str:
    """A text with its links, queries, mail addresses and possibly secret values masked. JSON stays JSON."""
    try:
        return _masked_json(text) if text[:1] in ("{", "[") else _masked_text(text)
    except ValueError:
        return _masked_text(text)
    except RuntimeError:
        # Nested too deep for Python's recursion limit.
        return MASKED


def _masked_json(text: str) -> str:
    # Always serialized again: of a name that occurs twice, only the value that was checked remains.
    return json.dumps(_node(json.loads(text, object_pairs_hook=OrderedDict)))


def _node(node: Any) -> Any:
    if isinstance(node, dict):
        return OrderedDict((masked(name), _named(name, inner)) for name, inner in node.items())
    if isinstance(node, list):
        return [_node(inner) for inner in node]
    return masked(node) if isinstance(node, str) else node


def _named(name: str, node: Any) -> Any:
    if _SECRET.search(name):
        return node if node is None or isinstance(node, bool) else MASKED
    return _node(node)


def _masked_text(text: str) -> str:
    """A text that is not JSON. The end of a value with quotes or brackets is unknown, so all after it is masked."""
    text = _QUERY.sub("?" + MASKED, _LINKS.sub(r"\1/" + MASKED, text))
    parts = []
    position = 0
    while True:
        match = _NAME.search(text, position)
        if not match:
            break
        parts.append(text[position : match.end()])
        position = match.end()
        if not _SECRET.search(match.group(1)) or _STAYS.match(text, position):
            continue
        bare = None if _OPENING.match(text, position) else _BARE.match(text, position)
        end = bare.end() if bare else len(text)
        parts.append(MASKED if end > position else "")
        position = end
    return _ADDRESS.sub(MASKED, "".join(parts) + text[position:])


def _traceback(text: str) -> str:
    """A traceback with its messages masked; lines of source code stay, because they have names and no values."""
    lines, program = [], False
    for line in text.split("\n"):
        frame = line.startswith('  File "')
        lines.append(line if frame or program else masked(line))
        program = frame
    return "\n".join(lines)


def to_output(logging_: Logging) -> Logging:
    """edx-platform's logging on standard output, without syslog (no container has it) and without mails to admins."""
    made = dict(logging_)
    handlers = {}
    for name, handler in made["handlers"].items():
        if name == "mail_admins" or (name != "tracking" and "SysLog" in handler.get("class", "")):
            continue
        # The tracking log has JSON lines, so only its text is written.
        changed = dict(handler)
        if "SysLog" in changed.get("class", "") or name == "tracking":
            changed = {"class": "logging.StreamHandler", "level": "INFO", "formatter": "raw"}
        if changed.get("class") == "logging.StreamHandler":
            changed["stream"] = "ext://sys.stdout"
        changed["filters"] = list(changed.get("filters", [])) + ["masked"]
        handlers[name] = changed
    made["handlers"] = handlers
    made["filters"] = dict(made.get("filters", {}), masked={"()": "portal_settings.logs.Masked"})
    made["formatters"] = dict(made.get("formatters", {}), raw={"format": "%(message)s"})
    made["loggers"] = {
        name: dict(logger, handlers=[each for each in logger.get("handlers", []) if each in handlers])
        for name, logger in made["loggers"].items()
    }
    # Hundreds of lines at each start, about edx-platform's own code.
    made["loggers"]["py.warnings"] = {"level": "ERROR", "propagate": True}
    return made
