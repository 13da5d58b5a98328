"""The forum service, by the calls of Open edX's comments client that the discussion pages need."""

import logging
from typing import Any
from urllib.parse import quote

import requests
from django.conf import settings

logger = logging.getLogger(__name__)

Thread = dict[str, Any]
# Seconds to connect and to answer: a page that waits for it has a worker's thread.
WAIT = (1, 5)
SIZE = 20
# Of the course as a whole, as Open edX's first topic is.
TOPIC = "course"


class ForumAway(Exception):
    """It gave no answer, or none that can be used."""


class Refused(ForumAway):
    """It does not know what the question is about: openedx-forum says 400 then, cs_comments_service 404."""


class NoSuchThread(Exception):
    """The forum has none of that id."""


def _call(method: str, path: str, told: dict[str, Any]) -> Any:
    """What the forum answers. Raises ForumAway, as Refused where it has understood."""
    url = f"{settings.FORUM['url']}/api/v1/{path}"
    where = "params" if method == "get" else "data"
    try:
        with requests.Session() as session:
            # A proxy of the environment is not for the portal's own network.
            session.trust_env = False
            answer = session.request(
                method,
                url,
                headers={"X-Edx-Api-Key": settings.FORUM["key"]},
                timeout=WAIT,
                allow_redirects=False,
                **{where: told},
            )
            if answer.status_code in (400, 404):
                raise Refused(path)
            answer.raise_for_status()
            return answer.json()
    except (requests.RequestException, ValueError) as error:
        logger.error("forum: %s %s: %s: %s", method, path, type(error).__name__, str(error)[:200])
        raise ForumAway from None


def _user(user) -> None:
    """Makes the user known there: whoever posts must be."""
    _call("put", f"users/{user.pk}", {"username": user.username, "external_id": str(user.pk)})


def _list(user, path: str, told: dict[str, Any]) -> dict[str, Any]:
    """Threads, for a user; whoever is new there is made known first, as Open edX does at the enrolment."""
    try:
        found = _call("get", path, told)
    except Refused:
        _user(user)
        found = _call("get", path, told)
    if not isinstance(found, dict) or not isinstance(found.get("collection"), list):
        raise ForumAway
    return found


def threads(course: str, user, page: int = 1, size: int = SIZE) -> dict[str, Any]:
    """A page of a course's threads, the liveliest first: `collection`, `page`, `num_pages`."""
    told = {
        "course_id": course, "user_id": user.pk, "sort_key": "activity", "page": page, "per_page": size,
    }  # fmt: skip
    return _list(user, "threads", told)


def search(course: str, user, words: str) -> dict[str, Any]:
    """The course's threads that have the words."""
    told = {"text": words, "course_id": course, "user_id": user.pk, "page": 1, "per_page": SIZE}
    return _list(user, "search/threads", told)


def counts(course: str) -> dict[str, int]:
    """How many threads of a kind the course's topic has."""
    told = _call("get", f"commentables/{quote(course, safe='')}/counts", {})
    found = told.get(TOPIC) if isinstance(told, dict) else None
    return {kind: int((found or {}).get(kind, 0)) for kind in ("discussion", "question")}


def any_thread(user, key: str, *, mark: bool = False) -> Thread:
    """A thread of whatever course, with its answers; marked as read if told so. Raises NoSuchThread."""
    told = {"user_id": user.pk, "recursive": "True", "with_responses": "True", "mark_as_read": str(mark)}
    try:
        found: Thread = _call("get", f"threads/{quote(key, safe='')}", told)
    except Refused:
        raise NoSuchThread(key) from None
    return found


def thread(course: str, user, key: str) -> Thread:
    """A thread of this course with its answers. Raises NoSuchThread."""
    found = any_thread(user, key)
    # A thread of another course is none of this one's learners' business.
    if found.get("course_id") != course:
        raise NoSuchThread(key)
    return found


def post(course: str, user, title: str, body: str) -> Thread:
    """A new thread, as the forum keeps it."""
    _user(user)
    told = {
        "title": title, "body": body, "course_id": course, "commentable_id": TOPIC, "user_id": user.pk,
        "thread_type": "discussion", "anonymous": "False", "anonymous_to_peers": "False",
    }  # fmt: skip
    made: Thread = _call("post", f"{TOPIC}/threads", told)
    return made


def answer(course: str, user, key: str, body: str) -> Thread:
    """An answer to a thread of this course, as the forum keeps it. Raises NoSuchThread."""
    thread(course, user, key)
    _user(user)
    told = {
        "body": body, "course_id": course, "user_id": user.pk, "anonymous": "False", "anonymous_to_peers": "False",
    }  # fmt: skip
    made: Thread = _call("post", f"threads/{quote(key, safe='')}/comments", told)
    return made
