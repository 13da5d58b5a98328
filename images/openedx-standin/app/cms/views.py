"""The authors' pages."""

from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from cms import uploads
from cms.forms import CourseForm, ImageForm
from courses import key as keys
from courses import store
from courses.queue import send
from courses.tasks import publish


def authors(view):
    """For staff alone, also when somebody loses the right while logged in."""

    @login_required
    @wraps(view)
    def inside(request, **more):
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, **more)

    return inside


def welcome(request):
    """The studio's door."""
    return redirect("home") if request.user.is_authenticated else render(request, "cms/welcome.html")


@authors
def home(request):
    """All courses, and a form for another."""
    form = CourseForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and _create(request, form):
        return redirect("home")
    return render(request, "cms/home.html", {"courses": store.courses(), "form": form})


@require_POST
@authors
def publish_again(request, key):
    """Queues a course that did not get published, such as when the broker was away."""
    _queue(request, key)
    return redirect("home")


@authors
def image(request, key):
    """The image that learners see of a course."""
    course = store.get(key)
    if course is None:
        raise Http404
    form = ImageForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        uploads.drop(store.set_image(key, uploads.keep(form.cleaned_data["image"])))
        messages.success(request, "Learners see the new image from now on.")
        return redirect("home")
    return render(request, "cms/image.html", {"course": course, "form": form})


def _create(request, form):
    told = dict(form.cleaned_data)
    upload = told.pop("image")
    key = keys.make(told["org"], told["number"], told["run"])
    try:
        store.create({"_id": key, **told, "author": request.user.username, "created": timezone.now()})
    except store.CourseExists:
        form.add_error(None, f"There is a course {key} already.")
        return False
    if upload:
        store.set_image(key, uploads.keep(upload))
    _queue(request, key)
    return True


def _queue(request, key):
    if send(publish, key) is None:
        messages.error(
            request, f"{key} is kept, but could not be published just now. Publish it again in a minute."
        )
    else:
        messages.success(request, f"{key} is being published.")
