"""Authors log in at the lms: OAuth2 with a code, state and PKCE, as Open edX's studio does.

By hand, since it is one client with one provider: the packages for it want tables, a key library or https inside.
"""

import base64
import hashlib
import logging
import secrets
from urllib.parse import urlencode

import requests
from django.conf import settings
from django.contrib.auth import login as begin_session
from django.shortcuts import redirect, render, resolve_url
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from accounts.models import User
from api import jwt

logger = logging.getLogger(__name__)

KEPT = "sso"
SCOPE = "user_id profile email"
# Seconds to connect and to answer: the lms checks a password hash on the way.
WAIT = (2, 10)


class Refused(Exception):
    """Nobody is let in; str() is what the page says."""


@never_cache
def login(request):
    """To the lms's own log-in, and back here."""
    after = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(after, allowed_hosts={request.get_host()}):
        after = resolve_url("home")
    if request.user.is_authenticated:
        return redirect(after)
    kept = {"state": secrets.token_urlsafe(24), "verifier": secrets.token_urlsafe(48), "next": after}
    request.session[KEPT] = kept
    challenge = base64.urlsafe_b64encode(hashlib.sha256(kept["verifier"].encode()).digest())
    words = {
        "response_type": "code",
        "client_id": settings.SSO["client"],
        "redirect_uri": settings.SSO["redirect"],
        "scope": SCOPE,
        "state": kept["state"],
        "code_challenge": challenge.decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    return redirect(f"{settings.SSO['public_root']}/oauth2/authorize?{urlencode(words)}")


@never_cache
def complete(request):
    """The lms sends the browser back with a code: that is exchanged, and whoever is an author is logged in."""
    # Good for one try.
    kept = request.session.pop(KEPT, None)
    try:
        user = _user(request.GET, kept)
    except Refused as refused:
        return render(request, "cms/refused.html", {"reason": str(refused)}, status=403)
    begin_session(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect(kept["next"])


def _user(told, kept):
    if kept is None or not constant_time_compare(told.get("state", ""), kept["state"]):
        raise Refused("This log-in was begun elsewhere, or too long ago.")
    if not told.get("code"):
        raise Refused("The learners' side has not let you through.")
    try:
        name = _name(told["code"], kept["verifier"])
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        # No text of the error: it may hold the code.
        logger.error("single sign-on: %s", type(error).__name__)
        raise Refused(
            "The learners' side could not be asked just now. Please try again in a minute."
        ) from None
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None or not user.is_staff:
        raise Refused(
            "The studio is the authors'. To become one, an account needs the staff right, which the portal's admin gives."
        )
    return user


def _name(code, verifier):
    """The user name that a code stands for: the lms's token says it, over the portal's own network."""
    with requests.Session() as session:
        # A proxy of the environment is not for the portal's own network.
        session.trust_env = False
        answer = session.post(
            f"{settings.SSO['root']}/oauth2/access_token",
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": settings.SSO["redirect"],
                "code_verifier": verifier,
                "client_id": settings.SSO["client"],
                "client_secret": settings.SSO["secret"],
                "token_type": "jwt",
            },
            timeout=WAIT,
            allow_redirects=False,
        )
        answer.raise_for_status()
        return jwt.claims(answer.json()["access_token"])["preferred_username"]
