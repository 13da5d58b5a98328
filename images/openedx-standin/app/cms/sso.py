"""Log-in of authors at the lms: OAuth2 with a code, state and PKCE, as in Open edX's studio.

Without a package, because there is one client with one provider, and packages need tables, a key library or https here.
"""

import base64
import hashlib
import logging
import secrets
from collections.abc import Mapping
from urllib.parse import urlencode

import requests
from django.conf import settings
from django.contrib.auth import login as begin_session
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from accounts.models import User
from api import jwt

logger = logging.getLogger(__name__)

SESSION_KEY = "sso"
SCOPE = "user_id profile email"
# Seconds to connect and to answer: the lms checks a password hash on the way.
WAIT = (2, 10)


class Refused(Exception):
    """The log-in is refused; str() is the text of the page."""


@never_cache
def login(request: HttpRequest) -> HttpResponse:
    """Redirect to the lms's log-in, which redirects back here."""
    after = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(after, allowed_hosts={request.get_host()}):
        after = resolve_url("home")
    if request.user.is_authenticated:
        return redirect(after)
    kept = {"state": secrets.token_urlsafe(24), "verifier": secrets.token_urlsafe(48), "next": after}
    request.session[SESSION_KEY] = kept
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
def complete(request: HttpRequest) -> HttpResponse:
    """Exchange the code that the lms sent with the browser, and log the user in if staff."""
    # Valid for one try.
    kept = request.session.pop(SESSION_KEY, None)
    try:
        user = _user(request.GET, kept)
    except Refused as refused:
        return render(request, "cms/refused.html", {"reason": str(refused)}, status=403)
    begin_session(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect(kept["next"])


def _user(query: Mapping[str, str], kept: Mapping[str, str] | None) -> User:
    """The author whom the lms has logged in. Raises Refused."""
    if kept is None or not constant_time_compare(query.get("state", ""), kept["state"]):
        raise Refused("This log-in was begun in another browser, or too long ago.")
    if not query.get("code"):
        raise Refused("The learners' site did not log you in.")
    try:
        name = _user_name(query["code"], kept["verifier"])
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        # Without the error's text, which may contain the code.
        logger.error("single sign-on: %s", type(error).__name__)
        raise Refused("The learners' site did not answer. Please try again in a minute.") from None
    user: User | None = User.objects.filter(username=name, is_active=True).first()
    if user is None or not user.is_staff:
        raise Refused(
            "The studio is for authors. An author's account needs the staff right, which the portal's admin can give."
        )
    return user


def _user_name(code: str, verifier: str) -> str:
    """The user name of a code: the lms's token contains it, and is requested over the portal's own network."""
    with requests.Session() as session:
        # No proxy from the environment: the lms is in the portal's own network.
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
        return str(jwt.claims(answer.json()["access_token"])["preferred_username"])
