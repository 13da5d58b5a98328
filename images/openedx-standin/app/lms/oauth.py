"""Tokens for the lms's clients, of both of Open edX's kinds: one that is looked up, and one that says whose it is."""

import json

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from oauth2_provider.models import AccessToken
from oauth2_provider.views.base import TokenView

from api import jwt

# How a token says by which grant it came.
GRANTS = {
    "client_credentials": "client-credentials",
    "authorization_code": "authorization-code",
    "refresh_token": "authorization-code",
}


class Token(TokenView):
    """As the toolkit's; with `token_type=jwt` the token is one that says whose it is."""

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        answer: HttpResponse = super().post(request, *args, **kwargs)
        if answer.status_code != 200 or request.POST.get("token_type", "").lower() != "jwt":
            return answer
        values = json.loads(answer.content)
        kept = AccessToken.objects.select_related("user", "application__user").get(
            token=values["access_token"]
        )
        user = kept.user or kept.application.user
        if user is None or not user.is_active:
            return JsonResponse({"error": "invalid_grant"}, status=400)
        grant = GRANTS.get(request.POST.get("grant_type", ""), "")
        token = jwt.make(user, values["scope"].split(), grant)
        return JsonResponse(
            {**values, "access_token": token, "expires_in": jwt.SECONDS, "token_type": "JWT"},
            headers={"Cache-Control": "no-store", "Pragma": "no-cache"},
        )
