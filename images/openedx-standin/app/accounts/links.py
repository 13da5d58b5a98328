"""Who opened a link first: from then on it is theirs alone.

A link travels through mails, chats and logs. Looking at it changes nothing, so that what only looks (a scanner of mails,
a preview of a chat) does not use it up; the button on its page binds it to the session that pressed it.
"""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import OpenedLink

KEPT = "opened_links_owner"
# A link is void by itself by then, and what is remembered of it too.
REMEMBERED = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT) + timedelta(days=1)


def bind(session, uid: str, token: str) -> bool:
    """Whether the link is this session's: it is its first, or was so before. Of two at once one is the first."""
    owner = session.get(KEPT) or secrets.token_urlsafe(32)
    OpenedLink.objects.filter(opened__lt=timezone.now() - REMEMBERED).delete()
    row, first = OpenedLink.objects.get_or_create(
        link=_hash(f"{uid}/{token}"), defaults={"owner": _hash(owner), "opened": timezone.now()}
    )
    if not first and not constant_time_compare(row.owner, _hash(owner)):
        return False
    # Whoever has put a session into somebody's browser beforehand does not get the link with it.
    session.cycle_key()
    session[KEPT] = owner
    return True


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
