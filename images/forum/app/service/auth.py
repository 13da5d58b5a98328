"""Who may call: whoever sends the portal's key, as edx-platform does."""

import hmac

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

HEADER = "X-Edx-Api-Key"


class Platform:
    """The one caller there is; openedx-forum wants a staff account."""

    is_authenticated = is_active = is_staff = True


class ApiKey(BaseAuthentication):
    """The key in a header, compared in a time that tells nothing of it."""

    def authenticate(self, request):
        """The caller, or 401: without a key nobody is served, so a missing one is a wrong one."""
        given = request.headers.get(HEADER, "")
        if not hmac.compare_digest(given.encode(), settings.CONFIG.api_key.encode()):
            raise AuthenticationFailed(f"{HEADER} is missing or wrong")
        return Platform(), None

    def authenticate_header(self, request):
        """Names the header; with it the answer is 401, as cs_comments_service's is, not 403."""
        return HEADER
