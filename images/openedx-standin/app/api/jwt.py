"""Tokens that say whose they are, signed with a key that lms and cms have in common."""

import hashlib
import hmac
import json
import time
from typing import Any

from django.conf import settings
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT

from accounts.models import User

AUDIENCE = "openedx"
VERSION = "1.2.0"
SECONDS = 3600


def _key() -> JWK:
    """Of its own, so that what is signed for another purpose never passes for a token."""
    return JWK.from_password(hmac.new(settings.SECRET_KEY.encode(), b"jwt", hashlib.sha256).hexdigest())


def issuer() -> str:
    """Whose tokens these are."""
    return f"{settings.LMS_ROOT_URL}/oauth2"


def make(user: User, scopes: list[str], grant: str) -> str:
    """A token of a user with what the scopes let a client know, good for SECONDS."""
    now = int(time.time())
    name = user.profile.name if hasattr(user, "profile") else ""
    values: dict[str, Any] = {
        "aud": AUDIENCE,
        "exp": now + SECONDS,
        "grant_type": grant,
        "iat": now,
        "iss": issuer(),
        "preferred_username": user.username,
        "scopes": scopes,
        "version": VERSION,
        # Says nothing of the user, and is the same each time.
        "sub": hmac.new(settings.SECRET_KEY.encode(), f"sub {user.pk}".encode(), hashlib.sha256).hexdigest()[
            :32
        ],
        "filters": ["user:me"] if grant == "authorization-code" else [],
        "is_restricted": False,
        "email_verified": user.is_active,
    }
    if "user_id" in scopes:
        values["user_id"] = user.pk
    if "email" in scopes:
        values["email"] = user.email
    if "profile" in scopes:
        values |= {"name": name, "family_name": user.last_name, "given_name": user.first_name}
        values |= {"administrator": user.is_staff, "superuser": user.is_superuser}
    token = JWT(header={"alg": "HS256", "typ": "JWT"}, claims=values)
    token.make_signed_token(_key())
    return str(token.serialize())


def claims(token: str) -> dict[str, Any]:
    """What a token of ours says; nothing where it is not ours, or too old."""
    try:
        read = JWT(
            jwt=token,
            key=_key(),
            algs=["HS256"],
            check_claims={"iss": issuer(), "aud": AUDIENCE, "exp": None},
        )
        values = json.loads(read.claims)
    except (JWException, ValueError, TypeError):
        return {}
    return values if isinstance(values, dict) else {}


def user_name(token: str) -> str:
    """Whose token it is; nothing where it is not ours, or too old."""
    return str(claims(token).get("preferred_username", ""))
