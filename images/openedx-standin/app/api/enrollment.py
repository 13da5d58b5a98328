"""Enrolments: one's own, and everybody's for staff."""

from typing import Any

from django.http import HttpRequest

from accounts.models import User
from api import lists
from api.accounts import when
from api.asking import FORBIDDEN, Body, Refusal, endpoint, fields_refused, may_see
from api.courses import published, started
from courses import key as keys
from courses import store
from lms.models import Enrollment

WORD = "developer_message"
# The one mode that a course of the stand-in has.
MODE = "audit"


def details(course: store.Course) -> dict[str, Any]:
    """What an enrolment says of its course."""
    return {
        "course_id": course["key"],
        "course_name": course["title"],
        "enrollment_start": None,
        "enrollment_end": None,
        "course_start": started(course),
        "course_end": None,
        "invite_only": False,
        "course_modes": [
            {
                "slug": MODE,
                "name": "Audit",
                "min_price": 0,
                "suggested_prices": "",
                "currency": "usd",
                "expiration_datetime": None,
                "description": None,
                "sku": None,
                "bulk_sku": None,
            }
        ],
        "pacing_type": "Instructor Paced",
    }


def _enrollment_json(row: Enrollment) -> dict[str, Any]:
    return {
        "created": when(row.created),
        "mode": row.mode,
        "is_active": row.is_active,
        "user": row.user.username,
    }


def _with_course(row: Enrollment) -> dict[str, Any] | None:
    """None for a course that is no longer there."""
    course = published(row.course)
    return course and {**_enrollment_json(row), "course_details": details(course)}


def _course(request: HttpRequest, user: User | None, key: str) -> Body:
    course = published(key)
    if course is None:
        raise Refusal(400, {"message": f"No course found for course ID '{key}'"})
    return details(course)


def _roles(request: HttpRequest, user: User) -> Body:
    """Staff has both roles in each course: the stand-in has no others."""
    courses = store.courses() if user.is_staff else []
    roles = [
        {"org": each["org"], "course_id": each["key"], "role": role}
        for each in courses
        for role in ("instructor", "staff")
    ]
    return {"roles": roles, "is_staff": user.is_staff}


def _of(request: HttpRequest, user: User, key: str, name: str = "") -> Body:
    name = name or user.username
    if not may_see(user, name):
        raise Refusal(404)
    row = Enrollment.objects.select_related("user").filter(user__username=name, course=key).first()
    # Who never was enrolled: nothing is told, and that is a success.
    return row and _with_course(row)


def _own(request: HttpRequest, user: User) -> Body:
    """Those that hold. Of somebody else staff alone; others are told of none."""
    name = request.GET.get("user") or user.username
    if not may_see(user, name):
        return []
    rows = Enrollment.objects.select_related("user").filter(user__username=name, is_active=True)
    return [values for row in rows.order_by("pk")[: store.LIMIT] if (values := _with_course(row))]


def _enroll(request: HttpRequest, user: User, values: dict[str, Any]) -> Body:
    course_details = values.get("course_details")
    key = course_details.get("course_id") if isinstance(course_details, dict) else None
    if not key:
        raise Refusal(400, {"message": "Course ID must be specified to create a new enrollment."})
    name = values.get("user") or user.username
    if not isinstance(name, str) or not may_see(user, name):
        raise Refusal(404)
    if not isinstance(key, str) or not keys.KEY.fullmatch(key):
        raise Refusal(400, {"message": f"No course '{str(key)[:180]}' found for enrollment"})
    learner = User.objects.filter(username=name).first()
    if learner is None:
        raise Refusal(406, {"message": f"The user {name} does not exist."})
    active = values.get("is_active")
    if active is not None and not isinstance(active, bool):
        raise Refusal(400, {"message": f"'{str(active)[:50]}' is an invalid enrollment activation status."})
    course = published(key)
    if course is None:
        raise Refusal(400, {"message": f"No course '{key}' found for enrollment"})
    if (mode := values.get("mode") or MODE) != MODE:
        raise Refusal(
            400,
            {
                "message": f"The [{str(mode)[:50]}] course mode is expired or otherwise unavailable for course run [{key}].",
                "course_details": details(course),
            },
        )
    rows = Enrollment.objects.select_related("user")
    # Who leaves without having been there has a row too, as in Open edX.
    state = {"is_active": active is not False}
    row, _ = rows.update_or_create(
        user=learner, course=key, defaults=state, create_defaults={**state, "title": course["title"]}
    )
    return _with_course(row)


def _list(request: HttpRequest, user: User) -> Body:
    if not user.is_staff:
        raise Refusal(403, {WORD: FORBIDDEN})
    query = request.GET
    rows = Enrollment.objects.select_related("user")
    if key := query.get("course_id"):
        if not keys.KEY.fullmatch(key):
            raise fields_refused(course_id=f"'{key[:180]}' is not a valid course id.")
        rows = rows.filter(course=key)
    if names := query.get("username"):
        rows = rows.filter(user__username__in=names.split(",")[: lists.MOST])
    if emails := query.get("email"):
        rows = rows.filter(user__email__in=emails.split(",")[: lists.MOST])
    return lists.part(
        request, rows, lambda row: {**_enrollment_json(row), "course_id": row.course}, newest_first=True
    )


of_course = endpoint({"GET": _course}, everybody=True)
roles = endpoint({"GET": _roles})
of = endpoint({"GET": _of})
own = endpoint({"GET": _own, "POST": _enroll})
several = endpoint({"GET": _list}, word=WORD)
