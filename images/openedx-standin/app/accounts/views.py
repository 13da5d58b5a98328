"""Log-in, log-out, registration and its activation, a new password."""

from typing import Any

from celery import Task
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.views import LoginView, PasswordChangeView, PasswordResetConfirmView
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import links, tasks, tokens
from accounts.forms import LogInForm, RegistrationForm, ResetForm
from accounts.models import User
from courses.queue import send

MAIL_NOT_SENT = "The mail could not be sent just now. Please try again in a minute."


class LogIn(LoginView):
    """Users who are logged in already are redirected."""

    template_name = "accounts/login.html"
    authentication_form = LogInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: LogInForm) -> HttpResponse:
        """With the right password of an account that is not activated yet, send the mail once more."""
        name, password = form.data.get("username", ""), form.data.get("password", "")
        known = Q(email=name) if "@" in name else Q(username=name)
        # An inactive account that was active before was closed by an admin, and stays closed.
        user = User.objects.filter(known, is_active=False, last_login=None).first()
        if user is not None and user.check_password(password):
            _mail(self.request, tasks.activation, user.pk)
            return redirect("registered")
        return super().form_invalid(form)


class ChangePassword(PasswordChangeView):
    """The new password survives redeploys, also the first admin's."""

    template_name = "accounts/password.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page. Open edX requests the mail of a forgotten password here, too, by a POST with only the address."""
        if request.method == "POST" and "old_password" not in request.POST:
            return forgotten(request)
        return super().dispatch(request, *args, **kwargs)

    def get_success_url(self) -> str:
        """Where a user goes after the change."""
        url: str = resolve_url(settings.LOGIN_REDIRECT_URL)
        return url


class ResetConfirm(PasswordResetConfirmView):
    """The page of links in reset mails, and of the first admin's link: the user sets a password and is logged in."""

    template_name = "accounts/reset_confirm.html"
    success_url = reverse_lazy("dashboard")
    post_reset_login = True
    post_reset_login_backend = "django.contrib.auth.backends.ModelBackend"

    @method_decorator(never_cache)
    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """The link opens a page with a button; the button binds it to this session and leads to the form."""
        uid, token = kwargs["uidb64"], kwargs["token"]
        if token == self.reset_url_token:
            return super().dispatch(*args, **kwargs)
        user = self.get_user(uid)
        if user is None or not self.token_generator.check_token(user, token):
            return render(self.request, "accounts/reset_void.html", status=410)
        if self.request.method != "POST":
            return render(self.request, "accounts/link.html", {"what": "choose a new password"})
        if not links.bind(self.request.session, uid, token):
            return render(self.request, "accounts/link_elsewhere.html", status=410)
        return super().dispatch(*args, **kwargs)

    def form_valid(self, form: forms.Form) -> HttpResponse:
        """Log the user in and say so."""
        messages.success(self.request, "Your new password is set, and you are logged in.")
        return super().form_valid(form)


def forgotten(request: HttpRequest) -> HttpResponse:
    """As `reset`, without a page, for Open edX's own pages and apps. The answer is the same for any address."""
    email = request.POST.get("email", "")[:254]
    if not email:
        return HttpResponse("No email address provided.", status=400)
    return HttpResponse(status=503 if send(tasks.password_reset, email) is None else 200)


def reset(request: HttpRequest) -> HttpResponse:
    """Request a reset mail. The answer is the same whether or not the account exists."""
    form = ResetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if _mail(request, tasks.password_reset, form.cleaned_data["email"]):
            messages.success(request, "If there is an account with this address, a mail is on its way to it.")
        return redirect("reset")
    return render(request, "accounts/reset.html", {"form": form})


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """Log out."""
    logout(request)
    return redirect("home" if settings.VARIANT == "lms" else "welcome")


def register(request: HttpRequest) -> HttpResponse:
    """Create an account, and log it in if the portal does not require activation."""
    if request.user.is_authenticated:
        return redirect("dashboard")
    form = RegistrationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                user = form.save()
        except IntegrityError:
            # Another request took the name or the address after the form was checked.
            form.add_error(None, "This user name or e-mail address has just been taken.")
        else:
            if user.is_active:
                login(request, user, backend="django.contrib.auth.backends.ModelBackend")
                return redirect("dashboard")
            _mail(request, tasks.activation, user.pk)
            return redirect("registered")
    return render(request, "accounts/register.html", {"form": form})


def registered(request: HttpRequest) -> HttpResponse:
    """Tell the user to open the mail."""
    return render(request, "accounts/registered.html")


@never_cache
def activate(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """The page of links in activation mails: its button activates the account."""
    user = tokens.user_of(uid, token)
    if user is None:
        return render(request, "accounts/activation_void.html", status=410)
    # Mail scanners open links, and must not activate accounts.
    if request.method != "POST":
        return render(request, "accounts/link.html", {"what": "activate your account"})
    # last_login also makes all other activation links of this account void.
    User.objects.filter(pk=user.pk).update(is_active=True, last_login=timezone.now())
    messages.success(request, "Your account is active. Please log in.")
    return redirect("login")


def _mail(request: HttpRequest, task: Task, argument: int | str) -> bool:
    """Queue a mail; returns whether the broker has it. If not, the next page says so."""
    if send(task, argument) is None:
        messages.error(request, MAIL_NOT_SENT)
        return False
    return True
