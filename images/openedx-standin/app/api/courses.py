"""The catalogue, and what a course is made of: a chapter, a lesson and a unit with one text."""

import hashlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest
from django.utils.dateformat import format as formatted

from accounts.models import User
from api import lists
from api.asking import FORBIDDEN, Body, Refusal, endpoint, fields_refused, may_see
from courses import key as keys
from courses import store
from lms.models import Enrollment

WORD = "developer_message"
# Outer first. What a block is called; the course itself has the course's title.
KINDS = {"course": "", "chapter": "Week 1", "sequential": "Lesson", "vertical": "Unit", "html": "Text"}


def start(course: store.Course) -> datetime:
    """Since when a course is there; Mongo's times are UTC without saying so."""
    values: datetime = course["created"]
    return (
        values.replace(tzinfo=UTC, microsecond=0) if values.tzinfo is None else values.replace(microsecond=0)
    )


def started(course: store.Course) -> str:
    """The same, as Open edX says it."""
    return start(course).isoformat().replace("+00:00", "Z")


def published(key: str) -> store.Course | None:
    """The course of a key, as learners may see it."""
    course = store.get(key) if keys.KEY.fullmatch(key) else None
    return course if course and course["published"] else None


def summary(course: store.Course) -> dict[str, Any]:
    """A course as the catalogue shows it."""
    key = course["key"]
    image = f"/asset-v1:{key.removeprefix('course-v1:')}+type@asset+block@images_course_image.jpg"
    if course.get("image"):
        image = f"{settings.MEDIA_URL}{course['image']}"
    whole = f"{settings.LMS_ROOT_URL}{image}"
    return {
        "blocks_url": f"{settings.LMS_ROOT_URL}/api/courses/v2/blocks/?course_id={quote(key, safe='')}",
        "effort": None,
        "end": None,
        "enrollment_start": None,
        "enrollment_end": None,
        "id": key,
        "media": {
            "banner_image": {"uri": image, "uri_absolute": whole},
            "course_image": {"uri": image},
            "course_video": {"uri": None},
            "image": {"raw": whole, "small": whole, "large": whole},
        },
        "name": course["title"],
        "number": course["number"],
        "org": course["org"],
        "short_description": None,
        "start": started(course),
        "start_display": formatted(start(course), "N j, Y"),
        "start_type": "timestamp",
        "pacing": "instructor",
        "mobile_available": False,
        "hidden": False,
        "invitation_only": False,
        "course_id": key,
    }


def _allowed(request: HttpRequest, user: User | None) -> None:
    """Refuses a look through somebody else's eyes."""
    name = request.GET.get("username", "")
    if name and (user is None or not may_see(user, name)):
        raise Refusal(403, {WORD: FORBIDDEN})


def _catalogue(request: HttpRequest, user: User | None) -> Body:
    _allowed(request, user)
    org, words = request.GET.get("org"), request.GET.get("search_term", "").lower()
    courses = [
        course
        for course in sorted(store.published(), key=lambda each: str(each["key"]))
        if org in (None, course["org"]) and words in f"{course['title']} {course['number']}".lower()
    ]
    page = lists.page(request, courses, 10)
    return {**page, "results": [summary(each) for each in page["results"]]}


def _course(request: HttpRequest, user: User | None, key: str) -> Body:
    _allowed(request, user)
    course = published(key)
    if course is None:
        raise Refusal(404, {WORD: "Course not found."})
    return {**summary(course), "overview": course.get("description", "")}


def _ids(request: HttpRequest, user: User) -> Body:
    """The courses in which somebody has a role: all of them for staff."""
    if not request.GET.get("role"):
        raise fields_refused(role="This field is required.")
    _allowed(request, user)
    name = request.GET.get("username") or user.username
    staff = User.objects.filter(username=name, is_staff=True).exists()
    is_team = staff and request.GET["role"] in ("staff", "instructor")
    return lists.page(request, sorted(each["key"] for each in store.courses()) if is_team else [], 10)


def _blocks(request: HttpRequest, user: User | None) -> Body:
    query = request.GET
    key, name = query.get("course_id", ""), query.get("username", "")
    if not key:
        raise Refusal(400, {WORD: "course_id is required."})
    if not keys.KEY.fullmatch(key):
        raise Refusal(400, {WORD: f"'{key[:180]}' is not a valid course key."})
    every = query.get("all_blocks", "").lower() == "true"
    if not name and not every:
        raise fields_refused(username="This field is required unless all_blocks is requested.")
    if user is None:
        raise Refusal(403, {WORD: "Anonymous users cannot access another user's blocks."})
    if every and not user.is_staff:
        raise Refusal(
            403, {WORD: f"'{user.username}' does not have permission to access all blocks in '{key}'."}
        )
    if name and not may_see(user, name):
        raise Refusal(403, {WORD: FORBIDDEN})
    course = published(key)
    if course is None:
        raise Refusal(404, {WORD: f"Block not found: {key}+branch@published-branch"})
    learner = Enrollment.objects.filter(user__username=name, course=key, is_active=True).first()
    if learner is None and not user.is_staff:
        raise Refusal(403, {WORD: f"Course blocks for '{name}' cannot be accessed."})
    depth = query.get("depth", "0")
    shown = list(KINDS)[: len(KINDS) if depth == "all" else 1 + (lists.number(depth) or 0)]
    fields = query.get("requested_fields", "").split(",")
    # Innermost first, as Open edX has them.
    made = [block(course, kind, fields, learner, shown) for kind in reversed(shown)]
    if query.get("return_type") == "list":
        return made
    return {"root": name_of(course, "course"), "blocks": {each["id"]: each for each in made}}


def name_of(course: store.Course, kind: str) -> str:
    """The key of a block. A course has one block of a kind."""
    key = str(course["key"])
    own = "course" if kind == "course" else hashlib.sha256(f"{kind} {key}".encode()).hexdigest()[:32]
    return f"block-v1:{key.removeprefix('course-v1:')}+type@{kind}+block@{own}"


def block(
    course: store.Course, kind: str, fields: list[str], learner: Enrollment | None, shown: list[str]
) -> dict[str, Any]:
    """A block, with those of the fields that it has."""
    key, name = course["key"], name_of(course, kind)
    jump = f"{settings.LMS_ROOT_URL}/courses/{key}/jump_to/{name}"
    made: dict[str, Any] = {
        "id": name,
        "block_id": name.rpartition("@")[2],
        "lms_web_url": jump,
        "legacy_web_url": f"{jump}?experience=legacy",
        "student_view_url": f"{settings.LMS_ROOT_URL}/xblock/{name}",
        "type": kind,
        "display_name": KINDS[kind] or course["title"],
    }
    if "graded" in fields:
        made["graded"] = False
    kinds = list(KINDS)
    inner = kinds[kinds.index(kind) + 1 : kinds.index(kind) + 2]
    if "children" in fields and inner and inner[0] in shown:
        made["children"] = [name_of(course, inner[0])]
    if "completion" in fields and learner is not None:
        done = learner.completed is not None
        made["completion"] = float(done) if kind == "html" else int(done)
    elif "completion" in fields:
        made["completion"] = 0.0 if kind == "html" else 0
    return made


catalogue = endpoint({"GET": _catalogue}, word=WORD, everybody=True)
one = endpoint({"GET": _course}, word=WORD, everybody=True)
ids = endpoint({"GET": _ids}, word=WORD)
blocks = endpoint({"GET": _blocks}, word=WORD, everybody=True)
