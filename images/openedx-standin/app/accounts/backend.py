"""Log-in by e-mail address, beside the user name."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.models import User


class EmailBackend(ModelBackend):
    """Django's own backend, which first looks up the user name of an address."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """The user with this address and password."""
        if not username or "@" not in username:
            return None
        user = User.objects.filter(email=username).only("username").first()
        if user is None:
            return None
        known: User | None = super().authenticate(request, username=user.username, password=password)
        return known
