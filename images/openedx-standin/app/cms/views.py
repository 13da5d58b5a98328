"""The authors' pages."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from cms import uploads
from cms.forms import CourseForm, ImageForm
from courses import key as keys
from courses import store
from courses.queue import send
from courses.tasks import publish

View = Callable[..., HttpResponse]


def authors(view: View) -> View:
    """Require the staff right at each request."""

    @login_required
    @wraps(view)
    def inside(request: HttpRequest, **more: str) -> HttpResponse:
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, **more)

    wrapped: View = inside
    return wrapped


def welcome(request: HttpRequest) -> HttpResponse:
    """The studio's start page."""
    return redirect("home") if request.user.is_authenticated else render(request, "cms/welcome.html")


@authors
def home(request: HttpRequest) -> HttpResponse:
    """All courses, and a form for another."""
    form = CourseForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and _create(request, form):
        return redirect("home")
    return render(request, "cms/home.html", {"courses": store.courses(), "form": form})


@require_POST
@authors
def publish_again(request: HttpRequest, key: str) -> HttpResponse:
    """Queue the publication of a course again, for example after the broker was unavailable."""
    _queue_publication(request, key)
    return redirect("home")


@authors
def image(request: HttpRequest, key: str) -> HttpResponse:
    """The image that learners see of a course."""
    course = store.get(key)
    if course is None:
        raise Http404
    form = ImageForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        uploads.delete(store.set_image(key, uploads.store(form.cleaned_data["image"])))
        messages.success(request, "Learners see the new image from now on.")
        return redirect("home")
    return render(request, "cms/image.html", {"course": course, "form": form})


def _create(request: HttpRequest, form: CourseForm) -> bool:
    """Create a course and queue its publication; returns whether it was created."""
    fields = dict(form.cleaned_data)
    upload = fields.pop("image")
    key = keys.make(fields["org"], fields["number"], fields["run"])
    try:
        store.create({"_id": key, **fields, "author": request.user.username, "created": timezone.now()})
    except store.CourseExists:
        form.add_error(None, f"There is a course {key} already.")
        return False
    if upload:
        store.set_image(key, uploads.store(upload))
    _queue_publication(request, key)
    return True


def _queue_publication(request: HttpRequest, key: str) -> None:
    if send(publish, key) is None:
        messages.error(
            request, f"{key} is saved, but could not be published just now. Publish it again in a minute."
        )
    else:
        messages.success(request, f"{key} is being published.")
