"""Authentication: a caller must send the portal's key, as edx-platform does."""

import hmac

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

HEADER = "X-Edx-Api-Key"


class Platform:
    """The only caller; openedx-forum expects a staff account."""

    is_authenticated = is_active = is_staff = True


class ApiKey(BaseAuthentication):
    """Checks the key in a header, in constant time."""

    def authenticate(self, request: Request) -> tuple[Platform, None]:
        """The caller. Raises AuthenticationFailed (401) for a missing or wrong key."""
        key = request.headers.get(HEADER, "")
        if not hmac.compare_digest(key.encode(), settings.CONFIG.api_key.encode()):
            raise AuthenticationFailed(f"{HEADER} is missing or wrong")
        return Platform(), None

    def authenticate_header(self, request: Request) -> str:
        """The name of the header. With it the answer is 401, as with cs_comments_service, and not 403."""
        return HEADER
