"""The e-mail addresses that a mail can reach: what registration takes, and what the portal's mailer takes."""

import re

# As in images/mailer/exim4.conf: the dot-atom of RFC 5321, 64 characters at most (4.5.3.1.1).
LOCAL_PART = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}\.)+{_LABEL}")


def refusal(address: str) -> str:
    """Why no mail could reach an address, for the person who gives it; nothing where one can."""
    local, _, domain = address.rpartition("@")
    if not LOCAL_PART.fullmatch(local):
        return (
            "Before the @ there may be letters without accents, digits, dots between them and signs such as "
            "+ - _ / %, 64 characters in all: no mail goes to other addresses from here."
        )
    try:
        name = domain.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if not _DOMAIN.fullmatch(name) or name.lower().endswith(".internal"):
        return "Behind the @ there must be a domain that has mail, such as example.com."
    return ""
