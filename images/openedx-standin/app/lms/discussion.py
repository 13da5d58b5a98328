"""A course's discussion. Only these pages need the forum: while it is away they say so, and all else goes on."""

from functools import wraps

from django.conf import settings
from django.http import Http404
from django.shortcuts import redirect, render

from lms import forum
from lms.forms import AnswerForm, ThreadForm
from lms.learning import enrolled


def forum_page(view):
    """A page of the discussion: 503 with a clear word while the forum is away, 404 for a thread that is not there."""

    @enrolled
    @wraps(view)
    def inside(request, course, enrollment, **more):
        if not settings.DISCUSSION:
            raise Http404
        try:
            return view(request, course, **more)
        except forum.NoSuchThread:
            raise Http404 from None
        except forum.ForumAway:
            # What was written is not lost with the answer.
            written = {"title": request.POST.get("title", ""), "body": request.POST.get("body", "")}
            context = {"course": course, "written": written}
            return render(request, "lms/forum_away.html", context, status=503)

    return inside


@forum_page
def threads(request, course):
    """The threads, and a form for a new one."""
    key = course["key"]
    form = ThreadForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return redirect("thread", key, forum.post(key, request.user, **form.cleaned_data)["id"])
    words = request.GET.get("q", "").strip()[:200]
    found = (
        forum.search(key, request.user, words) if words else forum.threads(key, request.user, _page(request))
    )
    context = {"course": course, "found": found, "words": words, "form": form}
    return render(request, "lms/discussion.html", context)


@forum_page
def thread(request, course, thread):
    """One thread, and a form for an answer."""
    key = course["key"]
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        forum.answer(key, request.user, thread, form.cleaned_data["body"])
        return redirect("thread", key, thread)
    context = {"course": course, "thread": forum.thread(key, request.user, thread), "form": form}
    return render(request, "lms/thread.html", context)


def _page(request):
    told = request.GET.get("page", "")
    return min(int(told), 1000) if told.isascii() and told.isdigit() and told != "0" * len(told) else 1
