"""Sends recorded requests to a portal's lms, one after the other, each by the right person."""

import base64
import http.client
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from tests.records import answers
from tests.records.record import KINDS, Record

WAIT_SECONDS = 60
LOG_IN = "/api/user/v1/account/login_session/"
TOKEN = "/oauth2/access_token"


@dataclass(frozen=True, kw_only=True)
class Raw:
    """An answer as it came; header names in lower case."""

    status: int
    headers: Mapping[str, list[str]]
    body: bytes


@dataclass(kw_only=True)
class Replay:
    """One run over the records, in their order. `password` is that of every user, `secret` that of every OAuth2 client."""

    address: tuple[str, int]
    host: str
    password: str
    secret: str
    # What the lms has asked the forum since the last time.
    calls: Callable[[], list[str]] = list
    _jars: dict[str, dict[str, str]] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)
    _kept: dict[str, str] = field(default_factory=dict)

    def answer(self, record: Record) -> dict[str, Any]:
        """The answer of today to a record's request."""
        self._prepare(record.who)
        raw = self._ask(
            record.method,
            self._filled(record.path, quoted=True),
            record.kind,
            {key: self._filled(value) for key, value in (record.fields or {}).items()}
            if record.kind
            else None,
            record.headers,
            record.who,
        )
        for name, place in record.keep.items():
            self._kept[name] = _found(raw, place)
        return {**answers.normal(raw.status, raw.headers, raw.body), "forum": self.calls()}

    def _prepare(self, who: str) -> None:
        """A log-in or a token that is needed is asked for beforehand: what it does is no part of the answer."""
        self._session(who)
        self._authorization(who)
        self.calls()

    def _filled(self, template: Any, *, quoted: bool = False) -> Any:
        """With what earlier answers gave, and passwords; `quoted` as an address has them."""
        known = {"password": self.password, "secret": self.secret, **self._kept}
        if not isinstance(template, str):
            return template
        return re.sub(
            r"\{(\w+)\}",
            lambda match: quote(known[match[1]], safe="") if quoted else known[match[1]],
            template,
        )

    def _ask(
        self,
        method: str,
        path: str,
        kind: str,
        fields: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        who: str,
    ) -> Raw:
        jar = self._session(who)
        # As the load balancer says it.
        sent = {
            "Host": self.host,
            "X-Forwarded-Host": self.host,
            "X-Forwarded-Proto": "http",
            "Accept": "*/*",
        }
        sent |= self._authorization(who)
        if jar is not None:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
            if method not in ("GET", "HEAD", "OPTIONS"):
                sent["X-CSRFToken"] = jar.get("csrftoken", "")
        body = None
        if fields is not None:
            sent["Content-Type"] = KINDS[kind]
            body = (urlencode(fields) if kind == "form" else json.dumps(fields)).encode()
        raw = self._send(
            method, path, body, sent | {key: self._filled(each) for key, each in headers.items()}
        )
        if jar is not None:
            _remember(jar, raw.headers.get("set-cookie", []))
        return raw

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Raw:
        connection = http.client.HTTPConnection(*self.address, timeout=WAIT_SECONDS)
        try:
            connection.request(method, path, body, dict(headers))
            reply = connection.getresponse()
            remembered: dict[str, list[str]] = {}
            for name, value in reply.getheaders():
                remembered.setdefault(name.lower(), []).append(value)
            return Raw(status=reply.status, headers=remembered, body=reply.read())
        finally:
            connection.close()

    def _session(self, who: str) -> dict[str, str] | None:
        """The cookies of `browser NAME`; of `session NAME` too, who is logged in."""
        kind, _, name = who.partition(" ")
        if kind not in ("browser", "session"):
            return None
        if who not in self._jars:
            jar = self._jars[who] = {}
            self._ask("GET", "/csrf/api/v1/token", "", None, {}, who)
            if kind == "session":
                login_fields = {"email": f"{name}@bench.test", "password": self.password}
                raw = self._ask("POST", LOG_IN, "form", login_fields, {}, who)
                assert raw.status == 200, f"log-in of {name}: {raw.status} {raw.body[:300]!r}"
            assert jar, f"no cookie for {who}"
        return self._jars[who]

    def _authorization(self, who: str) -> dict[str, str]:
        """`bearer CLIENT` and `jwt CLIENT` have a token of a client, by its credentials; `basic CLIENT` says them."""
        kind, _, client = who.partition(" ")
        if kind == "basic":
            return {"Authorization": f"Basic {base64.b64encode(f'{client}:{self.secret}'.encode()).decode()}"}
        if kind not in ("bearer", "jwt"):
            return {}
        if who not in self._tokens:
            login_fields = {
                "grant_type": "client_credentials",
                "client_id": client,
                "client_secret": self.secret,
                "token_type": kind,
            }
            raw = self._ask("POST", TOKEN, "form", login_fields, {}, "nobody")
            assert raw.status == 200, f"token of {client}: {raw.status} {raw.body[:300]!r}"
            self._tokens[who] = json.loads(raw.body)["access_token"]
        return {"Authorization": f"{'JWT' if kind == 'jwt' else 'Bearer'} {self._tokens[who]}"}


def _remember(jar: dict[str, str], texts: Iterable[str]) -> None:
    for each in texts:
        for name, morsel in SimpleCookie(each).items():
            jar[name] = morsel.value
            if not morsel.value:
                del jar[name]


def _found(raw: Raw, place: str) -> str:
    """`body.KEY`; `query.KEY` of the address that the answer leads to; `next.KEY` of that of the next part of a list."""
    kind, _, key = place.partition(".")
    if kind == "body":
        return str(json.loads(raw.body)[key])
    [location] = [json.loads(raw.body)["next"]] if kind == "next" else raw.headers["location"]
    return parse_qs(urlsplit(location).query)[key][0]
