"""Calls of the forum service that the discussion pages need, as Open edX's comments client makes them."""

import logging
from typing import Any
from urllib.parse import quote

import requests
from django.conf import settings

from accounts.models import User

logger = logging.getLogger(__name__)

Thread = dict[str, Any]
# Seconds to connect and to answer; a waiting page holds a thread.
WAIT = (1, 5)
SIZE = 20
# A topic for the whole course, like Open edX's first topic.
TOPIC = "course"


class ForumUnavailable(Exception):
    """The forum gave no answer, or an unusable one."""


class UnknownObject(ForumUnavailable):
    """The forum does not know the object: openedx-forum answers 400, cs_comments_service 404."""


class NoSuchThread(Exception):
    """The forum has no thread with that id."""


def _call(method: str, path: str, fields: dict[str, Any]) -> Any:
    """The forum's answer. Raises ForumUnavailable; UnknownObject, a kind of it, for an unknown object."""
    url = f"{settings.FORUM['url']}/api/v1/{path}"
    try:
        with requests.Session() as session:
            # No proxy from the environment: the forum is in the portal's own network.
            session.trust_env = False
            answer = session.request(
                method,
                url,
                headers={"X-Edx-Api-Key": settings.FORUM["key"]},
                timeout=WAIT,
                allow_redirects=False,
                params=fields if method == "get" else None,
                data=None if method == "get" else fields,
            )
            if answer.status_code in (400, 404):
                raise UnknownObject(path)
            answer.raise_for_status()
            return answer.json()
    except (requests.RequestException, ValueError) as error:
        logger.error("forum: %s %s: %s: %s", method, path, type(error).__name__, str(error)[:200])
        raise ForumUnavailable from None


def _register_user(user: User) -> None:
    """Make a user known to the forum, which it needs for posts."""
    _call("put", f"users/{user.pk}", {"username": user.username, "external_id": str(user.pk)})


def _list(user: User, path: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Threads, for a user. An unknown user is registered first, as Open edX does at enrolment."""
    try:
        answer = _call("get", path, fields)
    except UnknownObject:
        _register_user(user)
        answer = _call("get", path, fields)
    if not isinstance(answer, dict) or not isinstance(answer.get("collection"), list):
        raise ForumUnavailable
    return answer


def threads(course: str, user: User, page: int = 1, size: int = SIZE) -> dict[str, Any]:
    """A page of a course's threads, by last activity: `collection`, `page`, `num_pages`."""
    fields = {
        "course_id": course, "user_id": user.pk, "sort_key": "activity", "page": page, "per_page": size,
    }  # fmt: skip
    return _list(user, "threads", fields)


def search(course: str, user: User, words: str) -> dict[str, Any]:
    """The course's threads that contain the words."""
    fields = {"text": words, "course_id": course, "user_id": user.pk, "page": 1, "per_page": SIZE}
    return _list(user, "search/threads", fields)


def counts(course: str) -> dict[str, int]:
    """The numbers of discussions and questions in the course's topic."""
    answer = _call("get", f"commentables/{quote(course, safe='')}/counts", {})
    count = answer.get(TOPIC) if isinstance(answer, dict) else None
    return {kind: int((count or {}).get(kind, 0)) for kind in ("discussion", "question")}


def any_thread(user: User, key: str, *, mark: bool = False) -> Thread:
    """A thread of any course, with its answers; with `mark` it is marked as read. Raises NoSuchThread."""
    fields = {"user_id": user.pk, "recursive": "True", "with_responses": "True", "mark_as_read": str(mark)}
    try:
        thread: Thread = _call("get", f"threads/{quote(key, safe='')}", fields)
    except UnknownObject:
        raise NoSuchThread(key) from None
    return thread


def thread(course: str, user: User, key: str) -> Thread:
    """A thread of this course, with its answers. Raises NoSuchThread."""
    thread_found = any_thread(user, key)
    # Learners must not see threads of other courses.
    if thread_found.get("course_id") != course:
        raise NoSuchThread(key)
    return thread_found


def post(course: str, user: User, title: str, body: str) -> Thread:
    """Add a thread; returns it as the forum has it."""
    _register_user(user)
    fields = {
        "title": title, "body": body, "course_id": course, "commentable_id": TOPIC, "user_id": user.pk,
        "thread_type": "discussion", "anonymous": "False", "anonymous_to_peers": "False",
    }  # fmt: skip
    made: Thread = _call("post", f"{TOPIC}/threads", fields)
    return made


def answer(course: str, user: User, key: str, body: str) -> Thread:
    """Add an answer to a thread of this course; returns it as the forum has it. Raises NoSuchThread."""
    thread(course, user, key)
    _register_user(user)
    fields = {
        "body": body, "course_id": course, "user_id": user.pk, "anonymous": "False", "anonymous_to_peers": "False",
    }  # fmt: skip
    made: Thread = _call("post", f"threads/{quote(key, safe='')}/comments", fields)
    return made
