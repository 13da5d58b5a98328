"""Who asks, for what, and how a refusal is worded: what all endpoints have in common."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.models import AccessToken

from accounts.models import User
from api import jwt

Body = dict[str, Any] | list[Any] | None
Handler = Callable[..., HttpResponseBase | Body]
# Of a request's JSON: nothing that an endpoint takes is larger.
MOST_BYTES = 256 * 1024
JSON, MERGE = "application/json", "application/merge-patch+json"
NO_CREDENTIALS = "Authentication credentials were not provided."
FORBIDDEN = "You do not have permission to perform this action."


class Refusal(Exception):
    """An answer that is no success. Without a body it is empty, as some of edx-platform's are."""

    def __init__(self, status: int, body: Body = None) -> None:
        super().__init__(status)
        self.status, self.body = status, body


class Unknown(Exception):
    """Nobody's token, or none that is good now; `body` says so, None in an endpoint's own words."""

    def __init__(self, body: Body = None) -> None:
        super().__init__()
        self.body = body


def fields_refused(**findings: str) -> Refusal:
    """400, with a finding for each field."""
    values = {field: {"developer_message": finding} for field, finding in findings.items()}
    return Refusal(400, {"field_errors": values})


def endpoint(
    handlers: Mapping[str, Handler],
    *,
    word: str = "detail",
    everybody: bool = False,
    stranger: str = NO_CREDENTIALS,
    takes: str = JSON,
) -> Callable[..., HttpResponseBase]:
    """A view of one address: a handler for each method, called with the request, its user and the address's parts.

    `word` is the key of a refusal's text. `everybody`: also for those who are not logged in; the user is None then.
    """
    allowed = ", ".join([*handlers, *(["HEAD"] if "GET" in handlers else []), "OPTIONS"])

    def view(request: HttpRequest, **parts: str) -> HttpResponseBase:
        try:
            answer = _answer(handlers, request, parts, word, everybody, stranger, takes)
        except Unknown as unknown:
            answer = JsonResponse(unknown.body or {word: stranger}, status=401)
            # Where edx-platform says the one word it does not say the other.
            if word == "detail":
                answer.headers["WWW-Authenticate"] = 'JWT realm="api"'
        except Refusal as refusal:
            answer = _made(refusal.body, refusal.status)
        answer.headers["Allow"] = allowed
        answer.headers["Cache-Control"] = "no-store"
        return answer

    # A token is no cookie: only a session needs the other proof, which `_session` asks for.
    exempt: Callable[..., HttpResponseBase] = csrf_exempt(view)
    return exempt


def _answer(
    handlers: Mapping[str, Handler],
    request: HttpRequest,
    parts: Mapping[str, str],
    word: str,
    everybody: bool,
    stranger: str,
    takes: str,
) -> HttpResponseBase:
    user = user_of(request)
    if user is None and not everybody:
        raise Unknown({word: stranger})
    method = "GET" if request.method == "HEAD" else str(request.method)
    if method == "OPTIONS":
        return empty(204)
    if method not in handlers:
        raise Refusal(405, {word: f'Method "{method}" not allowed.'})
    if method in ("POST", "PATCH"):
        kind = request.content_type or ""
        if kind != (expected_type := MERGE if method == "PATCH" else takes):
            raise Refusal(415, {word: f'Unsupported media type "{kind}" in request.'})
        return _made(handlers[method](request, user, _read(request, expected_type, word), **parts), 200)
    return _made(handlers[method](request, user, **parts), 200)


def _read(request: HttpRequest, kind: str, word: str) -> dict[str, Any]:
    if kind not in (JSON, MERGE):
        return dict(request.POST.items())
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        raise Refusal(413, {word: "The request is too large."})
    try:
        values = json.loads(request.body)
    except (ValueError, RecursionError):
        raise Refusal(400, {word: "JSON parse error"}) from None
    if not isinstance(values, dict):
        raise Refusal(400, {word: "A mapping is expected."})
    return values


def _made(body: HttpResponseBase | Body, status: int) -> HttpResponseBase:
    if isinstance(body, HttpResponseBase):
        return body
    return empty(status) if body is None else JsonResponse(body, status=status, safe=False)


def empty(status: int) -> HttpResponse:
    """An answer without a body, which is of no kind then."""
    made = HttpResponse(status=status)
    del made.headers["Content-Type"]
    return made


def user_of(request: HttpRequest) -> User | None:
    """Who asks: by a token, or by a session with its proof against forged requests. Raises Unknown."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme == "JWT":
        return _active(_by_jwt(token))
    if scheme == "Bearer":
        return _active(_by_bearer(token))
    return _session(request)


def _active(user: User) -> User:
    if not user.is_active:
        raise Unknown({"detail": "User inactive or deleted."})
    return user


def _by_jwt(token: str) -> User:
    name = jwt.user_name(token)
    user: User | None = User.objects.filter(username=name).first() if name else None
    if user is None:
        raise Unknown({"detail": "Invalid token."})
    return user


def _by_bearer(token: str) -> User:
    access_token = AccessToken.objects.select_related("user", "application__user").filter(token=token).first()
    if access_token is None:
        raise Unknown(
            {
                "error_code": "token_nonexistent",
                "developer_message": "The provided access token does not match any valid tokens.",
            }
        )
    # A token that a client got for itself stands for the user of the client.
    user: User | None = access_token.user or access_token.application.user
    if access_token.expires <= timezone.now() or user is None:
        raise Unknown(
            {
                "error_code": "token_expired",
                "developer_message": "The provided access token has expired and is no longer valid.",
            }
        )
    return user


def _session(request: HttpRequest) -> User | None:
    if not request.user.is_authenticated:
        return None
    if request.method not in ("GET", "HEAD", "OPTIONS") and (reason := forged(request)):
        raise Refusal(403, {"detail": f"CSRF Failed: {reason}"})
    user: User = request.user
    return user


class _Proof(CsrfViewMiddleware):
    """Django's own check; tells the reason in place of a page."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def forged(request: HttpRequest) -> str:
    """Why a request may not be what its session's owner wanted; nothing where it is."""

    def unused(_: HttpRequest) -> HttpResponse:
        return HttpResponse()

    proof = _Proof(unused)
    proof.process_request(request)
    return str(proof.process_view(request, unused, (), {}) or "")


def may_see(user: User, name: str) -> bool:
    """Whether somebody may ask for what is that user's."""
    return bool(user.is_staff or user.username == name)
