"""A course's discussion. Only these pages need the forum, and say so while it is unavailable."""

from functools import wraps

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from courses.store import Course
from lms import forum
from lms.forms import AnswerForm, ThreadForm
from lms.learning import View, enrolled
from lms.models import Enrollment


def forum_page(view: View) -> View:
    """A page of the discussion: 503 while the forum is unavailable, 404 for an unknown thread."""

    @enrolled
    @wraps(view)
    def inside(request: HttpRequest, course: Course, enrollment: Enrollment, **more: str) -> HttpResponse:
        if not settings.DISCUSSION:
            raise Http404
        try:
            return view(request, course, **more)
        except forum.NoSuchThread:
            raise Http404 from None
        except forum.ForumUnavailable:
            # The page shows what the user has written, so that it is not lost.
            written = {"title": request.POST.get("title", ""), "body": request.POST.get("body", "")}
            context = {"course": course, "written": written}
            return render(request, "lms/forum_away.html", context, status=503)

    wrapped: View = inside
    return wrapped


@forum_page
def threads(request: HttpRequest, course: Course) -> HttpResponse:
    """The threads, and a form for a new one."""
    key = course["key"]
    form = ThreadForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return redirect("thread", key, forum.post(key, request.user, **form.cleaned_data)["id"])
    words = request.GET.get("q", "").strip()[:200]
    thread_list = (
        forum.search(key, request.user, words) if words else forum.threads(key, request.user, _page(request))
    )
    context = {"course": course, "threads": thread_list, "words": words, "form": form}
    return render(request, "lms/discussion.html", context)


@forum_page
def thread(request: HttpRequest, course: Course, thread: str) -> HttpResponse:
    """One thread, and a form for an answer."""
    key = course["key"]
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        forum.answer(key, request.user, thread, form.cleaned_data["body"])
        return redirect("thread", key, thread)
    context = {"course": course, "thread": forum.thread(key, request.user, thread), "form": form}
    return render(request, "lms/thread.html", context)


def _page(request: HttpRequest) -> int:
    text = request.GET.get("page", "")
    return min(int(text), 1000) if text.isascii() and text.isdigit() and text != "0" * len(text) else 1
