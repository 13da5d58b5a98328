"""The authors' pages."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from cms.forms import CourseForm
from courses import key as keys
from courses import store
from courses.queue import send
from courses.tasks import publish


def welcome(request):
    """The studio's door."""
    return redirect("home" if request.user.is_authenticated else "login")


@login_required
def home(request):
    """All courses; staff may add one."""
    form = CourseForm(request.POST or None)
    if request.method == "POST":
        _staff_only(request)
        if form.is_valid() and _create(request, form):
            return redirect("home")
    return render(request, "cms/home.html", {"courses": store.courses(), "form": form})


@login_required
@require_POST
def publish_again(request, key):
    """Queues a course that did not get published, such as when the broker was away."""
    _staff_only(request)
    _queue(request, key)
    return redirect("home")


def _staff_only(request):
    if not request.user.is_staff:
        raise PermissionDenied


def _create(request, form):
    told = form.cleaned_data
    key = keys.make(told["org"], told["number"], told["run"])
    try:
        store.create({"_id": key, **told, "author": request.user.username, "created": timezone.now()})
    except store.CourseExists:
        form.add_error(None, f"There is a course {key} already.")
        return False
    _queue(request, key)
    return True


def _queue(request, key):
    if send(publish, key) is None:
        messages.error(
            request, f"{key} is kept, but could not be published just now. Publish it again in a minute."
        )
    else:
        messages.success(request, f"{key} is being published.")
