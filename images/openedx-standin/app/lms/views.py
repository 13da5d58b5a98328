"""The learners' pages."""

import logging
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST
from elasticsearch import ElasticsearchException

from courses import search as catalogue
from courses import store
from courses.queue import send
from lms.learning import published
from lms.models import Enrollment, GradeReport
from lms.tasks import grade_report

logger = logging.getLogger(__name__)


def home(request: HttpRequest) -> HttpResponse:
    """The course list."""
    return render(request, "lms/home.html", {"courses": store.published()})


def about(request: HttpRequest, key: str) -> HttpResponse:
    """One course."""
    context: dict[str, Any] = {"course": published(key), "enrolled": False}
    if request.user.is_authenticated:
        context["enrolled"] = Enrollment.objects.filter(
            user=request.user, course=key, is_active=True
        ).exists()
    return render(request, "lms/about.html", context)


def search(request: HttpRequest) -> HttpResponse:
    """Search courses; 503 while Elasticsearch is unavailable."""
    words = request.GET.get("q", "").strip()[:200]
    try:
        courses, away = (catalogue.search(words) if words else []), False
    except ElasticsearchException as error:
        logger.error("search: %s: %s", type(error).__name__, str(error)[:200])
        courses, away = [], True
    context = {"words": words, "courses": courses, "away": away}
    return render(request, "lms/search.html", context, status=503 if away else 200)


@login_required
def dashboard(request: HttpRequest) -> HttpResponse:
    """The learner's own page: courses and grade report."""
    context = {
        "report": GradeReport.objects.filter(user=request.user).first(),
        "enrollments": Enrollment.objects.filter(user=request.user, is_active=True).order_by("-created")[
            : store.LIMIT
        ],
    }
    return render(request, "lms/dashboard.html", context)


@login_required
@require_POST
def report(request: HttpRequest) -> HttpResponse:
    """Queue the grade report."""
    state = {"requested": timezone.now(), "finished": None, "courses": None}
    GradeReport.objects.update_or_create(user=request.user, defaults=state)
    if send(grade_report, request.user.pk) is None:
        GradeReport.objects.filter(user=request.user, finished=None).delete()
        messages.error(request, "The report could not be asked for just now. Please try again in a minute.")
    return redirect("dashboard")
