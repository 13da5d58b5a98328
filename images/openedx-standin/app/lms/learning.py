"""Enrolment in a course, its unit, and its completion."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from courses import store
from courses.store import Course
from lms.models import Enrollment

View = Callable[..., HttpResponse]


def published(key: str) -> Course:
    """The published course of a key. Raises Http404."""
    course = store.get(key)
    if course is None or not course["published"]:
        raise Http404
    return course


def enrolled(view: View) -> View:
    """Require enrolment: the view gets course and enrolment. Other users are redirected to the course's page."""

    @login_required
    @wraps(view)
    def inside(request: HttpRequest, key: str, **more: str) -> HttpResponse:
        course = published(key)
        enrollment = Enrollment.objects.filter(user=request.user, course=key, is_active=True).first()
        if enrollment is None:
            messages.info(request, "Enrol first to go into this course.")
            return redirect("about", key)
        return view(request, course, enrollment, **more)

    wrapped: View = inside
    return wrapped


@login_required
@require_POST
def enroll(request: HttpRequest, key: str) -> HttpResponse:
    """Enrol the user; safe to repeat."""
    title = published(key)["title"]
    Enrollment.objects.update_or_create(
        user=request.user, course=key, defaults={"is_active": True}, create_defaults={"title": title}
    )
    return redirect("course", key)


@enrolled
def course(request: HttpRequest, course: Course, enrollment: Enrollment) -> HttpResponse:
    """The unit, with whether it is completed."""
    return render(request, "lms/course.html", {"course": course, "enrollment": enrollment})


@require_POST
@enrolled
def complete(request: HttpRequest, course: Course, enrollment: Enrollment) -> HttpResponse:
    """Mark the unit as completed; only the first time is recorded."""
    Enrollment.objects.filter(pk=enrollment.pk, completed=None).update(completed=timezone.now())
    messages.success(request, "Done. Well learned.")
    return redirect("course", course["key"])
