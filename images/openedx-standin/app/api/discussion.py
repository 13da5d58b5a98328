"""A course's discussion, through the forum service: threads and their answers."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpRequest
from django.utils.html import format_html

from accounts.models import User
from api import lists
from api.asking import Body, Refusal, endpoint, fields_refused
from api.courses import published
from courses import key as keys
from lms import forum
from lms.models import Enrollment

WORD = "developer_message"
MOST_TITLE, MOST_BODY = 200, 5000
PER_PAGE = 10
EDITABLE = (
    "abuse_flagged", "anonymous", "close_reason_code", "closed", "copy_link", "following", "pinned", "raw_body", "read",
    "title", "topic_id", "type", "voted",
)  # fmt: skip
EDITABLE_ANSWER = ("abuse_flagged", "anonymous", "endorsed", "raw_body", "voted")
ROOT = "/api/discussion/v1"


def through_forum(handler: Callable[..., Body]) -> Callable[..., Body]:
    """A handler that needs the forum: 503 while it is away, 404 for a thread that is not there."""

    @wraps(handler)
    def handle(*args: Any, **parts: Any) -> Body:
        if not settings.DISCUSSION:
            raise Http404
        try:
            return handler(*args, **parts)
        except forum.NoSuchThread:
            raise Refusal(404, {WORD: "Thread not found."}) from None
        except forum.ForumUnavailable:
            raise Refusal(503, {WORD: "The discussion is away for a moment."}) from None

    return handle


def _allowed(user: User, key: str) -> str:
    """The key of a course whose learner or staff asks. Raises Refusal."""
    learner = Enrollment.objects.filter(user=user, course=key, is_active=True).exists()
    if published(key) is None or not (learner or user.is_staff):
        raise Refusal(404, {WORD: "Course not found."})
    return key


def _threads_url(key: str, **more: str) -> str:
    values = "".join(f"&{name}={value}" for name, value in more.items())
    return f"{settings.LMS_ROOT_URL}{ROOT}/threads/?course_id={quote(key, safe='')}{values}"


def _course(request: HttpRequest, user: User, key: str) -> Body:
    _allowed(user, key)
    return {
        "id": key,
        "blackouts": [],
        "thread_list_url": _threads_url(key),
        "following_thread_list_url": _threads_url(key, following="True"),
        "topics_url": f"{settings.LMS_ROOT_URL}{ROOT}/course_topics/{key}",
        "allow_anonymous": False,
        "allow_anonymous_to_peers": False,
        "user_roles": ["Student"],
        "has_moderation_privileges": False,
        "is_group_ta": False,
        "is_user_admin": user.is_staff,
        "is_course_staff": user.is_staff,
        "is_course_admin": user.is_staff,
        "provider": "legacy",
        "enable_in_context": True,
        "group_at_subsection": False,
        "learners_tab_enabled": False,
        "reason_codes_enabled": False,
        "edit_reasons": [],
        "post_close_reasons": [],
    }


@through_forum
def _topics(request: HttpRequest, user: User, key: str) -> Body:
    _allowed(user, key)
    topic = {
        "id": forum.TOPIC,
        "name": "General",
        "thread_list_url": _threads_url(key, topic_id=forum.TOPIC),
        "children": [],
        "thread_counts": forum.counts(key),
    }
    return {"courseware_topics": [], "non_courseware_topics": [topic]}


def _entry(thread: forum.Thread) -> dict[str, Any]:
    """What threads and answers have in common."""
    staff = User.objects.filter(username=thread.get("username") or "", is_staff=True).exists()
    body = str(thread.get("body", ""))
    return {
        "id": thread["id"],
        "author": thread.get("username"),
        "author_label": "Staff" if staff else None,
        "created_at": thread["created_at"],
        "updated_at": thread["updated_at"],
        "raw_body": body,
        "rendered_body": format_html("<p>{}</p>", body),
        "abuse_flagged": False,
        "voted": False,
        "vote_count": (thread.get("votes") or {}).get("up_count", 0),
        "anonymous": thread.get("anonymous", False),
        "anonymous_to_peers": thread.get("anonymous_to_peers", False),
        "last_edit": None,
    }


def _editable(user: User, thread: forum.Thread, fields: tuple[str, ...]) -> dict[str, Any]:
    mine = user.is_staff or thread.get("username") == user.username
    return {"can_delete": mine, "editable_fields": list(fields) if mine else ["abuse_flagged", "voted"]}


def _thread(user: User, thread: forum.Thread) -> dict[str, Any]:
    answers = f"{settings.LMS_ROOT_URL}{ROOT}/comments/?thread_id={thread['id']}"
    return {
        **_entry(thread),
        **_editable(user, thread, EDITABLE),
        "course_id": thread["course_id"],
        "topic_id": thread["commentable_id"],
        "group_id": None,
        "group_name": None,
        "type": thread["thread_type"],
        "preview_body": str(thread.get("body", "")),
        "abuse_flagged_count": None,
        "title": thread["title"],
        "pinned": bool(thread.get("pinned")),
        "closed": bool(thread.get("closed")),
        "following": False,
        # Open edX counts the thread itself.
        "comment_count": thread.get("comments_count", 0) + 1,
        "unread_comment_count": thread.get("unread_comments_count", 0) + (0 if thread.get("read") else 1),
        "comment_list_url": answers,
        "endorsed_comment_list_url": None,
        "non_endorsed_comment_list_url": None,
        "read": bool(thread.get("read")),
        "has_endorsed": bool(thread.get("endorsed")),
        "close_reason": None,
        "closed_by": None,
    }


def _comment(user: User, thread: forum.Thread) -> dict[str, Any]:
    return {
        **_entry(thread),
        **_editable(user, thread, EDITABLE_ANSWER),
        "thread_id": thread["thread_id"],
        "parent_id": thread.get("parent_id"),
        "endorsed": bool(thread.get("endorsed")),
        "endorsed_by": None,
        "endorsed_by_label": None,
        "endorsed_at": None,
        "child_count": thread.get("child_count", 0),
        "children": [],
        "abuse_flagged_any_user": False if user.is_staff else None,
    }


@through_forum
def _threads(request: HttpRequest, user: User) -> Body:
    key = request.GET.get("course_id", "")
    if not key:
        raise fields_refused(course_id="This field is required.")
    if not keys.KEY.fullmatch(key):
        raise fields_refused(course_id=f"'{key[:180]}' is not a valid course id")
    _allowed(user, key)
    number = lists.number(request.GET.get("page", "1")) or 0
    if not number:
        raise Refusal(404, {WORD: "Page not found (No results on this page)."})
    # A page behind the last one is empty, as in Open edX.
    threads = forum.threads(key, user, number, lists.size(request, PER_PAGE))
    pages = max(1, int(threads.get("num_pages", 1)))
    return {
        "results": [_thread(user, each) for each in threads["collection"]],
        "text_search_rewrite": None,
        "pagination": {
            "next": lists.address(request, page=str(number + 1)) if number < pages else None,
            "previous": lists.address(request, page=str(number - 1)) if number > 1 else None,
            "count": threads.get("thread_count", len(threads["collection"])),
            "num_pages": pages,
        },
    }


def _texts(values: dict[str, Any], **most: int) -> dict[str, str]:
    """The texts of a post. Raises Refusal for those that are missing or too long."""
    texts = {field: values.get(field) for field in most}
    findings = {
        field: "This field is required."
        if not value
        else f"This is a text of {most[field]} characters at most."
        for field, value in texts.items()
        if not isinstance(value, str) or not value.strip() or len(value) > most[field]
    }
    if findings:
        raise fields_refused(**findings)
    return {field: str(value) for field, value in texts.items()}


@through_forum
def _post(request: HttpRequest, user: User, values: dict[str, Any]) -> Body:
    key = values.get("course_id")
    if not isinstance(key, str) or not key:
        raise fields_refused(course_id="This field is required.")
    _allowed(user, key)
    texts = _texts(values, raw_body=MOST_BODY, topic_id=50, type=20, title=MOST_TITLE)
    if texts["topic_id"] != forum.TOPIC or texts["type"] != "discussion":
        raise fields_refused(
            topic_id=f"The topic is {forum.TOPIC}, the type discussion: there are no others."
        )
    # As Open edX: what is new is unread, to its author too.
    return _thread(user, forum.post(key, user, texts["title"], texts["raw_body"]))


def _of_a_course(user: User, thread: str, **values: bool) -> forum.Thread:
    """A thread, to somebody who may see its course."""
    thread_found = forum.any_thread(user, thread, **values)
    _allowed(user, str(thread_found.get("course_id")))
    return thread_found


@through_forum
def _one(request: HttpRequest, user: User, thread: str) -> Body:
    _of_a_course(user, thread, mark=True)
    thread_found = forum.any_thread(user, thread)
    return {**_thread(user, thread_found), "response_count": len(thread_found.get("children", []))}


@through_forum
def _comments(request: HttpRequest, user: User) -> Body:
    thread = request.GET.get("thread_id", "")
    if not thread:
        raise fields_refused(thread_id="This field is required.")
    parent = _of_a_course(user, thread)
    page = lists.page(request, parent.get("children", []), PER_PAGE)
    return {**page, "results": [_comment(user, each) for each in page["results"]]}


@through_forum
def _answer(request: HttpRequest, user: User, values: dict[str, Any]) -> Body:
    texts = _texts(values, thread_id=50, raw_body=MOST_BODY)
    parent = _of_a_course(user, texts["thread_id"])
    made = forum.answer(str(parent["course_id"]), user, texts["thread_id"], texts["raw_body"])
    return _comment(user, {**made, "thread_id": texts["thread_id"]})


course = endpoint({"GET": _course}, word=WORD)
topics = endpoint({"GET": _topics}, word=WORD)
threads = endpoint({"GET": _threads, "POST": _post}, word=WORD)
one = endpoint({"GET": _one}, word=WORD)
comments = endpoint({"GET": _comments, "POST": _answer}, word=WORD)
