"""An HTTP endpoint with which a sales system orders portals: `python3 docs/examples/sales_endpoint.py TOKEN_FILE`.

PUT /portals/oak {"lms": "oak.example.com", "title": "Oak", "email": "head@oak.example.com"}   202, and begins
GET /portals/oak   {"state": "running", "progress": [...]}, in the end "done" with addresses and log_in_link, or "failed"

Every request needs `Authorization: Bearer <the token>`. The same PUT again begins nothing twice, and goes on with one
that failed; other words for a portal that was ordered get 409. What is known here is lost with the process, and the
same PUT finds the portal as it is. TLS is a proxy's in front of it: it listens on 127.0.0.1 alone.
"""

import hmac
import json
import re
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PORTAL = Path(__file__).resolve().parents[2] / "portal"
# What a sales system may say of a portal; where it runs is the operator's matter.
MAY_SAY = ("lms", "cms", "title", "email")
MOST_BYTES = 10_000
PATH = re.compile(r"/portals/([a-z0-9]+(?:-[a-z0-9]+)*)")
# Portals that come up beside each other; the others wait.
AT_A_TIME = 2
Say = Callable[[str], None]
Answer = tuple[int, dict[str, Any]]


class Failed(Exception):
    """An onboarding failed, for the reason that it tells."""


@dataclass(kw_only=True)
class Order:
    """What was asked for, and what has become of it."""

    options: Mapping[str, str]
    state: str = "running"
    progress: deque[str] = field(default_factory=lambda: deque(maxlen=100))
    result: Mapping[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """For the sales system."""
        return {"state": self.state, "progress": list(self.progress), **self.result}


class Orders:
    """All orders of this process. `onboard` does one, in a thread, and raises Failed."""

    def __init__(self, onboard: Callable[[str, Mapping[str, str], Say], Mapping[str, Any]]) -> None:
        self.onboard = onboard
        self.orders: dict[str, Order] = {}
        self.lock = threading.Lock()
        self.pool = ThreadPoolExecutor(max_workers=AT_A_TIME)

    def put(self, name: str, options: Mapping[str, str]) -> Answer:
        """Begin an order, unless it has begun or is done."""
        with self.lock:
            order = self.orders.get(name)
            if order and order.options != options:
                return 409, {
                    "error": f"{name} was ordered with other options",
                    "ordered": dict(order.options),
                }
            if order is None or order.state == "failed":
                order = self.orders[name] = Order(options=options)
                self.pool.submit(self.work, name, order)
            return 202 if order.state == "running" else 200, order.facts()

    def get(self, name: str) -> Answer:
        """How far it is."""
        with self.lock:
            order = self.orders.get(name)
            return (200, order.facts()) if order else (404, {"error": f"{name} was not ordered"})

    def work(self, name: str, order: Order) -> None:
        """Do it, in a thread of the pool."""

        def say(text: str) -> None:
            with self.lock:
                order.progress.append(text)

        state, result = "done", {}
        try:
            result = dict(self.onboard(name, order.options, say))
        except (Failed, OSError, ValueError, KeyError) as error:
            state, result = "failed", {"error": str(error)}
        with self.lock:
            order.state, order.result = state, result


def onboard(name: str, options: Mapping[str, str], say: Say, *more: str) -> Mapping[str, Any]:
    """`./portal new`, in a process of its own: several may run beside each other, and none ends with another."""
    words = [
        str(PORTAL),
        "new",
        name,
        "--json",
        *(f"--{key}={value}" for key, value in options.items()),
        *more,
    ]
    last = deque[str](maxlen=10)
    # A file without a name: a pipe that nobody reads until the end would stop whoever fills it.
    with tempfile.TemporaryFile("w+") as out:
        with subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, text=True
        ) as process:
            for line in process.stderr or ():
                say(line.rstrip())
                last.append(line.rstrip())
        if process.returncode:
            raise Failed("\n".join(last))
        out.seek(0)
        result = json.load(out)
    return {key: result[key] for key in ("addresses", "log_in_link", "steps")}


def checked(body: bytes) -> dict[str, str]:
    """The words of an order. Raises ValueError with what is wrong with them."""
    body_fields = json.loads(body)
    if not isinstance(body_fields, dict) or not body_fields.get("lms"):
        raise ValueError(f"expected an object with lms, and perhaps {', '.join(MAY_SAY[1:])}")
    for key, value in body_fields.items():
        if key not in MAY_SAY or not isinstance(value, str) or len(value) > 200:
            raise ValueError(
                f"{key}: expected one of {', '.join(MAY_SAY)}, each a text of at most 200 characters"
            )
    return body_fields


def handler(orders: Orders, token: str) -> type[BaseHTTPRequestHandler]:
    """The class that answers requests."""

    class Handler(BaseHTTPRequestHandler):
        # A client that says nothing more is not waited for.
        timeout = 10

        def do_PUT(self) -> None:
            """An order."""
            self.answer(lambda name: orders.put(name, checked(self.body())))

        def do_GET(self) -> None:
            """A look at one."""
            self.answer(orders.get)

        def body(self) -> bytes:
            """What was sent. Raises ValueError when it is too much."""
            length = int(self.headers.get("Content-Length") or 0)
            if not 0 <= length <= MOST_BYTES:
                raise ValueError(f"expected at most {MOST_BYTES} bytes")
            return self.rfile.read(length)

        def answer(self, what: Callable[[str], Answer]) -> None:
            """Whoever has no token learns nothing, not even which portals there are."""
            authorization = self.headers.get("Authorization", "").encode()
            match = PATH.fullmatch(self.path)
            if not hmac.compare_digest(authorization, f"Bearer {token}".encode()):
                status, result = 401, {"error": "expected `Authorization: Bearer TOKEN`"}
            elif not match:
                status, result = 404, {"error": "expected /portals/NAME"}
            else:
                try:
                    status, result = what(match[1])
                except ValueError as error:
                    status, result = 400, {"error": str(error)}
            sent = json.dumps(result).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.send_header("Cache-Control", "no-store")
            if status == 401:
                self.send_header("WWW-Authenticate", "Bearer")
            self.end_headers()
            self.wfile.write(sent)

    return Handler


def server(orders: Orders, token: str, port: int = 0) -> ThreadingHTTPServer:
    """The endpoint on 127.0.0.1; a free port unless one is named."""
    if len(token) < 20:
        raise ValueError("the token has fewer than 20 characters, expected a long random one")
    return ThreadingHTTPServer(("127.0.0.1", port), handler(orders, token))


def main(words: list[str]) -> int:
    """Serve until Ctrl-C. TOKEN_FILE, and a port (8099 when none is named)."""
    if not words:
        print("usage: python3 docs/examples/sales_endpoint.py TOKEN_FILE [PORT]", file=sys.stderr)
        return 2
    port = int(words[1]) if len(words) > 1 else 8099
    serving = server(Orders(onboard), Path(words[0]).read_text().strip(), port)
    print(f"http://127.0.0.1:{serving.server_port}/portals/", file=sys.stderr, flush=True)
    try:
        serving.serve_forever()
    except KeyboardInterrupt:
        return 130
    finally:
        serving.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
