"""Enrolled in a course: its unit, and being done with it."""

from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from courses import store
from lms.models import Enrollment


def published(key):
    """The course of a key, as learners may see it. Raises Http404."""
    course = store.get(key)
    if course is None or not course["published"]:
        raise Http404
    return course


def enrolled(view):
    """For learners of the course alone; the view gets the course and the enrolment. Others see what it is about."""

    @login_required
    @wraps(view)
    def inside(request, key, **more):
        course = published(key)
        enrollment = Enrollment.objects.filter(user=request.user, course=key, is_active=True).first()
        if enrollment is None:
            messages.info(request, "Enrol first to go into this course.")
            return redirect("about", key)
        return view(request, course, enrollment, **more)

    return inside


@login_required
@require_POST
def enroll(request, key):
    """Once or again."""
    title = published(key)["title"]
    Enrollment.objects.update_or_create(
        user=request.user, course=key, defaults={"is_active": True}, create_defaults={"title": title}
    )
    return redirect("course", key)


@enrolled
def course(request, course, enrollment):
    """The unit, and how far the learner is."""
    return render(request, "lms/course.html", {"course": course, "enrollment": enrollment})


@require_POST
@enrolled
def complete(request, course, enrollment):
    """Marks the unit as done; the first time counts."""
    Enrollment.objects.filter(pk=enrollment.pk, completed=None).update(completed=timezone.now())
    messages.success(request, "Done. Well learned.")
    return redirect("course", course["key"])
