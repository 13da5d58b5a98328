"""Binds a link to the session that used it first.

Links are in mails, chats and logs. Opening one changes nothing, so that mail scanners and chat previews do not use it up.
The button on its page binds it to the session that pressed it.
"""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import OpenedLink

OWNER_KEY = "opened_links_owner"
# The link itself is void earlier.
REMEMBERED = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT) + timedelta(days=1)


def bind(session: SessionBase, uid: str, token: str) -> bool:
    """Bind a link to a session; returns whether it belongs to it. Of two sessions at once only one succeeds."""
    owner = session.get(OWNER_KEY) or secrets.token_urlsafe(32)
    OpenedLink.objects.filter(opened__lt=timezone.now() - REMEMBERED).delete()
    row, first = OpenedLink.objects.get_or_create(
        link=_hash(f"{uid}/{token}"), defaults={"owner": _hash(owner), "opened": timezone.now()}
    )
    if not first and not constant_time_compare(row.owner, _hash(owner)):
        return False
    # Against session fixation: an attacker who knew the session id does not get the link with it.
    session.cycle_key()
    session[OWNER_KEY] = owner
    return True


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
