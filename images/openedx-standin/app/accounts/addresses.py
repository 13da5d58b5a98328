"""The e-mail addresses that registration accepts: those that the portal's mailer can reach."""

import re

# As in images/mailer/exim4.conf: the dot-atom of RFC 5321, 64 characters at most (4.5.3.1.1).
LOCAL_PART = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}\.)+{_LABEL}")


def refusal(address: str) -> str:
    """Why no mail can reach an address, for the person who entered it; an empty text if it can."""
    local, _, domain = address.rpartition("@")
    if not LOCAL_PART.fullmatch(local):
        return (
            "The part before the @ may have letters without accents, digits, dots between them and signs such as "
            "+ - _ / %, at most 64 characters. This portal cannot send mail to other addresses."
        )
    try:
        name = domain.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if not _DOMAIN.fullmatch(name) or name.lower().endswith(".internal"):
        return "The part after the @ must be a mail domain, for example example.com."
    return ""
