"""As much of GitHub's and GitLab's comments API as a poster meets: pages, tokens, troubles that pass."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token"
BOT = "github-actions[bot]"
MOST_CHARACTERS = 65_536
_COMMENTS = re.compile(r"/repos/o/r/issues/7/comments|/projects/42/merge_requests/7/notes")
_ONE = re.compile(r"(?:/repos/o/r/issues/comments|/projects/42/merge_requests/7/notes)/(\d+)")


@dataclass
class Fake:
    """The comments of one pull request. `troubles` are answered before anything else, one a request."""

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    troubles: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    # Comments that are made although the answer to who asked for them is lost.
    lost: int = 0

    def add(self, body: str, author: str = BOT) -> dict[str, Any]:
        """A comment, as one of another run or of a person."""
        number = 100 + len(self.comments)
        made = {
            "id": number,
            "body": body,
            "user": {"login": author},
            "author": {"username": author},
            "html_url": f"{self.url}/o/r/pull/7#issuecomment-{number}",
        }
        self.comments.append(made)
        return made


@contextmanager
def serving() -> Iterator[Fake]:
    """A fake that listens on this machine alone."""
    fake = Fake()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

        def answer(self, code: int, payload: Any, headers: dict[str, str] | None = None) -> None:
            body = json.dumps(payload).encode()
            self.send_response(code)
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handled(self) -> None:
            url = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else {}
            fake.requests.append(f"{self.command} {url.path}")
            if fake.troubles:
                code, headers = fake.troubles.pop(0)
                self.answer(code, {"message": "trouble"}, headers)
            elif TOKEN not in (
                self.headers.get("Authorization", "").removeprefix("Bearer "),
                self.headers.get("PRIVATE-TOKEN"),
            ):
                self.answer(401, {"message": "Bad credentials"})
            elif len(body.get("body", "")) > MOST_CHARACTERS:
                self.answer(422, {"message": "body is too long (maximum is 65536 characters)"})
            elif _COMMENTS.fullmatch(url.path) and self.command == "GET":
                query = {key: int(value[0]) for key, value in parse_qs(url.query).items()}
                size, page = query.get("per_page", 30), query.get("page", 1)
                self.answer(200, fake.comments[(page - 1) * size : page * size])
            elif _COMMENTS.fullmatch(url.path) and self.command == "POST":
                made = fake.add(body["body"])
                if fake.lost:
                    fake.lost -= 1
                    self.answer(502, {"message": "lost"})
                else:
                    self.answer(201, made)
            elif (match := _ONE.fullmatch(url.path)) and self.command in ("PATCH", "PUT"):
                one = next(each for each in fake.comments if each["id"] == int(match[1]))
                one["body"] = body["body"]
                self.answer(200, one)
            else:
                self.answer(404, {"message": "Not Found"})

        do_GET = do_POST = do_PATCH = do_PUT = handled

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
