"""Somebody with cookies on a portal's sites: what a browser sends and gets, without its pages."""

import http.client
import http.cookiejar
import json
import secrets
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPMessage
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, HTTPHandler, ProxyHandler, Request, build_opener

LIMIT_SECONDS = 120.0
TOKEN = "csrftoken"


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a form."""

    name: str
    kind: str
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came at the end of all redirects."""

    status: int
    url: str
    headers: HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """What a 2xx answer tells. Raises AssertionError for any other."""
        self.succeeded()
        return json.loads(self.body)

    def succeeded(self) -> "Answer":
        assert 200 <= self.status < 300, f"{self.status} from {self.url}: {self.text[:600]}"
        return self


class _Door(HTTPHandler):
    """Every host of a portal is found where its load balancer listens, whatever DNS says."""

    def __init__(self, door: tuple[str, int]) -> None:
        super().__init__()
        self.door = door

    def http_open(self, req: Request) -> http.client.HTTPResponse:
        door = self.door

        class Connection(http.client.HTTPConnection):
            def connect(self) -> None:
                self.sock = socket.create_connection(door, self.timeout)

        return self.do_open(Connection, req)


class Session:
    """One person's cookies; `door` is where the portal listens."""

    def __init__(self, door: tuple[str, int]) -> None:
        # As a browser: a cookie that names no domain is for the very host that set it. Else studio would get the lms's session.
        policy = http.cookiejar.DefaultCookiePolicy(
            strict_ns_domain=http.cookiejar.DefaultCookiePolicy.DomainStrictNonDomain
        )
        self.jar = http.cookiejar.CookieJar(policy)
        self.opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(self.jar), _Door(door))

    def get(self, url: str, accept: str = "*/*") -> Answer:
        return self._ask(Request(url, headers={"Accept": accept}))

    def form(self, url: str, fields: Mapping[str, str]) -> Answer:
        """POST a form."""
        return self._post(url, urlencode(fields).encode(), "application/x-www-form-urlencoded")

    def tell(self, url: str, facts: Any, method: str = "POST", kind: str = "application/json") -> Answer:
        """POST, or another method, with JSON."""
        return self._post(url, json.dumps(facts).encode(), kind, method)

    def upload(self, url: str, field: str, file: File, fields: Mapping[str, str] | None = None) -> Answer:
        """POST a form with a file."""
        border = secrets.token_hex(16)
        parts = [
            f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in (fields or {}).items()
        ]
        parts.append(
            f'--{border}\r\nContent-Disposition: form-data; name="{field}"; filename="{file.name}"\r\n'
            f"Content-Type: {file.kind}\r\n\r\n".encode()
            + file.data
            + b"\r\n"
        )
        body = b"".join(parts) + f"--{border}--\r\n".encode()
        return self._post(url, body, f"multipart/form-data; boundary={border}")

    def cookies(self) -> list[dict[str, Any]]:
        """As a browser takes them."""
        return [
            {
                "name": each.name,
                "value": each.value,
                "domain": each.domain,
                "path": each.path,
                "secure": bool(each.secure),
            }
            for each in self.jar
        ]

    def adopt(self, cookies: Iterable[Mapping[str, Any]]) -> None:
        """Go on as whoever is logged in to a browser: a log-in of its own would end the browser's, which Open edX has once for each user."""
        for each in cookies:
            shared = each["domain"].startswith(".")
            self.jar.set_cookie(
                http.cookiejar.Cookie(
                    version=0,
                    name=each["name"],
                    value=each["value"],
                    port=None,
                    port_specified=False,
                    domain=each["domain"],
                    domain_specified=shared,
                    domain_initial_dot=shared,
                    path=each["path"],
                    path_specified=True,
                    secure=each["secure"],
                    expires=None,
                    discard=True,
                    comment=None,
                    comment_url=None,
                    rest={},
                )
            )

    def _post(self, url: str, body: bytes, kind: str, method: str = "POST") -> Answer:
        headers = {
            "Accept": "application/json",
            "Content-Type": kind,
            "Referer": f"{urlsplit(url).scheme}://{urlsplit(url).netloc}/",
            "X-CSRFToken": self.token(url),
            "X-Requested-With": "XMLHttpRequest",
        }
        return self._ask(Request(url, data=body, headers=headers, method=method))

    def token(self, url: str) -> str:
        """What a form has to prove itself with: that of the very host, else that of a domain which it is in."""
        host = urlsplit(url).hostname or ""
        domains = {each.domain.lstrip("."): each.value or "" for each in self.jar if each.name == TOKEN}
        fitting = [each for each in domains if host == each or host.endswith(f".{each}")]
        return domains[max(fitting, key=len)] if fitting else ""

    def _ask(self, request: Request) -> Answer:
        try:
            reply = self.opener.open(request, timeout=LIMIT_SECONDS)
        except HTTPError as error:
            reply = error
        with reply:
            return Answer(status=reply.status, url=reply.url, headers=reply.headers, body=reply.read())
