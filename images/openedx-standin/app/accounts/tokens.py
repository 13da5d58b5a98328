"""The signed links of mails, and the first admin's."""

from django.contrib.auth.tokens import PasswordResetTokenGenerator, default_token_generator
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from accounts.models import User


class _Tokens(PasswordResetTokenGenerator):
    """Django's own tokens for activation: void once used, and for an account that was ever active."""

    key_salt = "accounts.activation"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.is_active}"


_tokens = _Tokens()


def activation_parts(user: User) -> dict[str, str]:
    """The two variable parts of an activation link."""
    return {"uid": urlsafe_base64_encode(str(user.pk).encode()), "token": _tokens.make_token(user)}


def reset_parts(user: User) -> dict[str, str]:
    """The two variable parts of a link to a new password. It is void once used, after a log-in, and after three days.

    It belongs to the session that opens it first: see links.py.
    """
    uid = urlsafe_base64_encode(str(user.pk).encode())
    return {"uidb64": uid, "token": default_token_generator.make_token(user)}


def user_of(uid: str, token: str) -> User | None:
    """The user of an activation link; None if it is invalid, used or too old."""
    try:
        user = User.objects.get(pk=int(urlsafe_base64_decode(uid)))
    except (ValueError, OverflowError, User.DoesNotExist):
        return None
    return user if not user.is_active and _tokens.check_token(user, token) else None
