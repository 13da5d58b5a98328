"""Grades, completion and certificates, as far as a course with one unit has them."""

from typing import Any

from django.http import HttpRequest

from accounts.models import User
from api import lists
from api.asking import FORBIDDEN, Body, Refusal, endpoint, may_see
from api.courses import published
from lms.models import Enrollment

WORD = "developer_message"


def _grade(row: Enrollment) -> dict[str, Any]:
    """The unit is all that there is to do, and nothing in it is graded before it is done."""
    done = row.completed is not None
    return {
        "username": row.user.username,
        # As Open edX's, which keeps it to itself.
        "email": "",
        "course_id": row.course,
        "passed": done,
        "percent": float(done),
        "letter_grade": "Pass" if done else None,
    }


def _grades(request: HttpRequest, user: User, key: str) -> Body:
    name = request.GET.get("username", "")
    if not user.is_staff and user.username != name:
        raise Refusal(403, {WORD: FORBIDDEN})
    if published(key) is None:
        values = {WORD: f"Requested grade for unknown course {key}", "error_code": "course_does_not_exist"}
        raise Refusal(404, values)
    rows = Enrollment.objects.select_related("user").filter(course=key)
    if not name:
        return lists.part(request, rows.filter(is_active=True), _grade, newest_first=False)
    if not User.objects.filter(username=name).exists():
        values = {
            WORD: "The user matching the requested username does not exist.",
            "error_code": "user_does_not_exist",
        }
        raise Refusal(404, values)
    row = rows.filter(user__username=name).first()
    if row is None:
        values = {WORD: "The user is not enrolled in this course.", "error_code": "user_not_enrolled"}
        raise Refusal(404, values)
    return [_grade(row)]


def _policy(request: HttpRequest, user: User, key: str) -> Body:
    # Open edX's words, which tell a learner nothing.
    absent = {WORD: "The course does not exist.", "error_code": "user_or_course_does_not_exist"}
    if not user.is_staff:
        raise Refusal(403, absent)
    if published(key) is None:
        raise Refusal(404, absent)
    return [{"assignment_type": "Unit", "count": 1, "dropped": 0, "weight": 1.0}]


def _gradebook(request: HttpRequest, user: User, key: str) -> Body:
    values = {WORD: "The writable gradebook feature is not enabled for this course."}
    raise Refusal(403, {**values, "error_code": "feature_not_enabled"})


def _progress(request: HttpRequest, user: User, key: str) -> Body:
    raise Refusal(404, {"detail": "Not found."})


def _complete(request: HttpRequest, user: User, values: dict[str, Any]) -> Body:
    """Open edX's switch for it is off by default, and here always: a unit is done by its page's button."""
    feature = (
        "BlockCompletion.objects.submit_batch_completion should not be called when the feature is disabled."
    )
    raise Refusal(400, {"detail": feature})


def _certificate(request: HttpRequest, user: User, name: str, key: str) -> Body:
    if not may_see(user, name):
        raise Refusal(403, {"detail": FORBIDDEN})
    raise Refusal(404, {"error_code": "no_certificate_for_user"})


def _certificates(request: HttpRequest, user: User, name: str) -> Body:
    if not may_see(user, name):
        raise Refusal(403, {"detail": FORBIDDEN})
    return []


grades = endpoint({"GET": _grades}, word=WORD, stranger="Incorrect authentication credentials.")
policy = endpoint({"GET": _policy}, word=WORD)
gradebook = endpoint({"GET": _gradebook}, word=WORD)
progress = endpoint({"GET": _progress})
complete = endpoint({"POST": _complete})
certificate = endpoint({"GET": _certificate})
certificates = endpoint({"GET": _certificates})
