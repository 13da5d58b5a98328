"""The signed links of mails, and the first admin's."""

from django.contrib.auth.tokens import PasswordResetTokenGenerator, default_token_generator
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from accounts.models import User


class _Tokens(PasswordResetTokenGenerator):
    """Django's own, for another purpose: void once used, and for an account that has ever been active."""

    key_salt = "accounts.activation"

    def _make_hash_value(self, user, timestamp):
        return f"{super()._make_hash_value(user, timestamp)}{user.is_active}"


_tokens = _Tokens()


def make(user: User) -> dict[str, str]:
    """The two parts of an activation link."""
    return {"uid": urlsafe_base64_encode(str(user.pk).encode()), "token": _tokens.make_token(user)}


def reset(user: User) -> dict[str, str]:
    """The two parts of a link to a new password: void once used, after a log-in, and after three days.

    The session that opens it first has it for itself: see links.py.
    """
    uid = urlsafe_base64_encode(str(user.pk).encode())
    return {"uidb64": uid, "token": default_token_generator.make_token(user)}


def user_of(uid: str, token: str) -> User | None:
    """Whose link it is; None where it is nobody's, used or too old."""
    try:
        user = User.objects.get(pk=int(urlsafe_base64_decode(uid)))
    except (ValueError, OverflowError, User.DoesNotExist):
        return None
    return user if not user.is_active and _tokens.check_token(user, token) else None
