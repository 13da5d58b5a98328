"""The one comment of a pull or merge request: found by its first line, edited in place, made where there is none."""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automation.errors import PortalError
from automation.review.comment import MARKER
from toolchain import output

LIMIT_SECONDS = 30.0
PAGE = 100
# A hundred comments a page: who has more than these has other troubles.
MOST_PAGES = 100
TRIES = 5
# What may pass by itself: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
PASSING = frozenset({429, 500, 502, 503, 504})
LONGEST_WAIT_SECONDS = 60.0


class Passing(PortalError):
    """What may be over in a moment; `after` is how many seconds the forge asks to wait, 0 when it does not say."""

    def __init__(self, why: str, after: float = 0.0) -> None:
        super().__init__(why)
        self.after = after


@dataclass(frozen=True, kw_only=True)
class Forge:
    """Where comments are: `comments` is the address of those of one request, `own` tells that of one of them.

    `author` is who the token writes as, found in a comment under `key`; another's is never edited, whatever it
    begins with.
    """

    name: str
    comments: str
    own: Callable[[int], str]
    edit: str
    headers: Mapping[str, str] = field(repr=False)
    author: str
    key: tuple[str, str]
    say: Callable[[str], None] = output.say
    wait: Callable[[float], None] = time.sleep

    def post(self, body: str) -> tuple[str, str]:
        """Make the comment what `body` says; what was done (made, edited, left) and its address. Raises PortalError."""
        for attempt in range(1, TRIES + 1):
            if there := self._own():
                if str(there["body"]).strip() == body.strip():
                    return "left", _address(there)
                return "edited", _address(self._call(self.edit, self.own(int(there["id"])), {"body": body}))
            try:
                return "made", _address(self._call("POST", self.comments, {"body": body}, tries=1))
            except Passing as error:
                # It may have been made all the same: look again before another is.
                if attempt == TRIES:
                    raise
                self._pause(error, 2.0**attempt)
        raise AssertionError

    def _own(self) -> dict[str, Any] | None:
        for each in self._all():
            if str(each.get("body") or "").startswith(MARKER) and self._author(each) == self.author:
                return each
        return None

    def _author(self, comment: Mapping[str, Any]) -> str:
        who, name = self.key
        return str((comment.get(who) or {}).get(name, ""))

    def _all(self) -> Iterator[dict[str, Any]]:
        for page in range(1, MOST_PAGES + 1):
            comments = self._call("GET", f"{self.comments}?per_page={PAGE}&page={page}")
            if not isinstance(comments, list):
                raise PortalError(f"{self.name}: {self.comments} is not a list of comments")
            yield from comments
            if len(comments) < PAGE:
                return
        raise PortalError(f"{self.name}: more than {MOST_PAGES * PAGE:,} comments; ours is not among them")

    def _call(self, method: str, url: str, data: Any = None, tries: int = TRIES) -> Any:
        for attempt in range(1, tries + 1):
            try:
                return self._once(method, url, data)
            except Passing as error:
                if attempt == tries:
                    raise
                self._pause(error, 2.0**attempt)
        raise AssertionError

    def _pause(self, error: "Passing", seconds: float) -> None:
        pause = min(error.after or seconds, LONGEST_WAIT_SECONDS)
        self.say(f"{error}; trying again in {pause:.0f} s")
        self.wait(pause)

    def _once(self, method: str, url: str, data: Any) -> Any:
        body = None if data is None else json.dumps(data).encode()
        headers = {**self.headers, "Content-Type": "application/json", "User-Agent": "portals"}
        request = urllib.request.Request(url, data=body, headers=headers, method=method)  # noqa: S310 (checked)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as answer:  # noqa: S310 (checked)
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                why = f"{self.name} answers {error.code} to {method} {url}: {_sent_body(error.read(2000))}"
                after = error.headers.get("Retry-After", "")
            if error.code not in PASSING:
                raise PortalError(why + _remedy(error.code)) from None
            raise Passing(why, float(after) if after.isdigit() else 0.0) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Passing(f"{self.name} does not answer {method} {url}: {error}") from None


def from_environment(environ: Mapping[str, str], *, author: str = "", number: int = 0) -> Forge:
    """The forge that a run's environment names: GitHub Actions or GitLab CI. Raises PortalError with what is missing."""
    if environ.get("GITLAB_CI"):
        return gitlab(environ, author, number)
    return github(environ, author, number)


def github(environ: Mapping[str, str], author: str, number: int) -> Forge:
    """GITHUB_TOKEN, GITHUB_REPOSITORY, and the number of the pull request from GITHUB_EVENT_PATH unless given."""
    token = _needed(environ, "GITHUB_TOKEN", "the job's own: `GITHUB_TOKEN: ${{ github.token }}`")
    repository = _needed(environ, "GITHUB_REPOSITORY", "OWNER/NAME")
    number = number or _of_event(environ.get("GITHUB_EVENT_PATH", ""))
    api = _address_of(environ.get("GITHUB_API_URL") or "https://api.github.com")
    home = f"{api}/repos/{repository}/issues"
    return Forge(
        name="GitHub",
        comments=f"{home}/{number}/comments",
        own=lambda comment: f"{home}/comments/{comment}",
        edit="PATCH",
        headers={
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        },
        author=author or "github-actions[bot]",
        key=("user", "login"),
    )


def gitlab(environ: Mapping[str, str], author: str, number: int) -> Forge:
    """GITLAB_TOKEN (a project access token), CI_API_V4_URL, CI_PROJECT_ID, CI_MERGE_REQUEST_IID."""
    token = _needed(
        environ, "GITLAB_TOKEN", "a project access token with the scope api; CI_JOB_TOKEN may not comment"
    )
    api = _address_of(_needed(environ, "CI_API_V4_URL", "https://gitlab.example.com/api/v4"))
    project = _needed(environ, "CI_PROJECT_ID", "42")
    request = number or _needed(environ, "CI_MERGE_REQUEST_IID", "set only in pipelines of merge requests")
    home = f"{api}/projects/{project}/merge_requests/{request}/notes"
    if not author:
        raise PortalError("GitLab: pass --author with the user name of the token, for example project_42_bot")
    return Forge(
        name="GitLab",
        comments=home,
        own=lambda note: f"{home}/{note}",
        edit="PUT",
        headers={"PRIVATE-TOKEN": token},
        author=author,
        key=("author", "username"),
    )


def _needed(environ: Mapping[str, str], name: str, example: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise PortalError(f"{name} is not set, so no comment can be written: {example}")
    return value


def _address_of(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise PortalError(f"{url!r} is not the address of an API, for example https://api.github.com")
    return url.rstrip("/")


def _of_event(path: str) -> int:
    """The number of the pull request that a workflow's event is about."""
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
        return int((event.get("pull_request") or event["issue"])["number"])
    except (OSError, ValueError, KeyError, TypeError):
        raise PortalError(
            "GITHUB_EVENT_PATH names no pull request: pass --number, for example --number 12"
        ) from None


def _sent_body(body: bytes) -> str:
    text = body.decode(errors="replace")
    try:
        answer = json.loads(text)
        return str(answer.get("message") or answer.get("error") or text) if isinstance(answer, dict) else text
    except ValueError:
        return " ".join(text.split())[:300] or "(nothing)"


def _remedy(code: int) -> str:
    if code in (401, 403):
        return "; the token must be allowed to comment (GitHub: `permissions: pull-requests: write`, GitLab: scope api)"
    return (
        "; check that the repository and the request exist, and that the token may see them"
        if code == 404
        else ""
    )


def _address(comment: Any) -> str:
    return str(comment.get("html_url") or comment.get("id") or "") if isinstance(comment, dict) else ""
