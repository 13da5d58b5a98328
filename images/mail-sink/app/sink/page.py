"""The pages, behind a log-in with the administrator's password."""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sink import mail
from sink.store import Kept, Store

# How many mails a page shows, and how many an answer has.
PAGE, ANSWER = 100, 20
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # A site must not learn from where its link was opened.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_HERE = Path(__file__).parent / "pages"
_PAGES = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined)

Next = Callable[[Request], Awaitable[Response]]


class Login(BaseHTTPMiddleware):
    """Requires HTTP Basic, and adds headers that stop active content of mails."""

    def __init__(self, app: Any, username: str, password: str) -> None:
        super().__init__(app)
        self.expected = f"{username}:{password}".encode()

    async def dispatch(self, request: Request, call_next: Next) -> Response:
        """Answer 401 without the administrator's password."""
        if request.url.path == "/healthz" or self.is_administrator(request.headers.get("Authorization", "")):
            answer = await call_next(request)
        else:
            answer = PlainTextResponse("Log in as the portal's administrator.\n", 401)
            answer.headers["WWW-Authenticate"] = 'Basic realm="Mail of this portal", charset="UTF-8"'
        answer.headers.update(HEADERS)
        return answer

    def is_administrator(self, header: str) -> bool:
        """Whether the header has the right user and password, compared in constant time."""
        scheme, _, word = header.partition(" ")
        try:
            login = base64.b64decode(word, validate=True)
        except (binascii.Error, ValueError):
            return False
        return scheme.lower() == "basic" and hmac.compare_digest(login, self.expected)


def received_text(kept: Kept) -> str:
    """The time when a mail was received, for people."""
    return datetime.fromtimestamp(kept.received, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def application(store: Store, title: str, username: str, password: str) -> Starlette:
    """The application that shows the mails of a store."""

    def page(name: str, **context: Any) -> HTMLResponse:
        return HTMLResponse(_PAGES.get_template(name).render(title=title, most=store.most, **context))

    def facts(kept: Kept) -> dict[str, Any]:
        full_mail = store.get(kept.id)
        read = mail.read(full_mail[1] if full_mail else b"")
        return {
            "id": kept.id,
            "received": received_text(kept),
            "sender": kept.sender,
            "recipients": list(kept.recipients),
            "from": read.sender,
            "to": read.to,
            "subject": read.subject,
            "text": read.text,
            "links": read.links,
        }

    async def index(request: Request) -> Response:
        to = request.query_params.get("to", "").strip()
        mails = store.newest(to)
        rows = await run_in_threadpool(lambda: [facts(each) for each in mails[:PAGE]])
        return page("list.html", rows=rows, count=len(mails), to=to)

    async def messages(request: Request) -> Response:
        mails = store.newest(request.query_params.get("to", "").strip())
        rows = await run_in_threadpool(lambda: [facts(each) for each in mails[:ANSWER]])
        return JSONResponse({"count": len(mails), "messages": rows})

    async def message(request: Request) -> Response:
        name: str = request.path_params["name"]
        raw = name.endswith(".eml")
        full_mail = store.get(name.removesuffix(".eml"))
        if not full_mail:
            return HTMLResponse(_PAGES.get_template("gone.html").render(title=title, most=store.most), 404)
        kept, data = full_mail
        if raw:
            return Response(
                data,
                media_type="application/octet-stream",
                headers={"Content-Disposition": f'attachment; filename="{kept.id}.eml"'},
            )
        read = await run_in_threadpool(mail.read, data)
        return page("mail.html", kept=kept, mail=read, received=received_text(kept))

    async def style(request: Request) -> Response:
        return Response((_HERE / "style.css").read_bytes(), media_type="text/css")

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    return Starlette(
        routes=[
            Route("/", index),
            Route("/messages.json", messages),
            Route("/messages/{name}", message),
            Route("/style.css", style),
            Route("/healthz", healthz),
        ],
        middleware=[Middleware(Login, username=username, password=password)],
    )
