"""Log-in, log-out, registration and its activation, a new password."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.views import LoginView, PasswordChangeView, PasswordResetConfirmView
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpResponse
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

AWAY = "The mail could not be sent just now. Please try again in a minute."


class LogIn(LoginView):
    """Whoever is logged in already goes on."""

    template_name = "accounts/login.html"
    authentication_form = LogInForm
    redirect_authenticated_user = True

    def form_invalid(self, form):
        """Whoever has the right password and has not opened the mail gets it once more."""
        name, password = form.data.get("username", ""), form.data.get("password", "")
        known = Q(email=name) if "@" in name else Q(username=name)
        # An account that has ever been active was closed by an admin, and stays closed.
        user = User.objects.filter(known, is_active=False, last_login=None).first()
        if user is not None and user.check_password(password):
            _mail(self.request, tasks.activation, user.pk)
            return redirect("registered")
        return super().form_invalid(form)


class ChangePassword(PasswordChangeView):
    """Kept through ordinary redeploys, also for the first admin."""

    template_name = "accounts/password.html"

    def dispatch(self, request, *args, **kwargs):
        """Open edX asks for the mail of a forgotten password at this address, with nothing but the e-mail address."""
        if request.method == "POST" and "old_password" not in request.POST:
            return forgotten(request)
        return super().dispatch(request, *args, **kwargs)

    def get_success_url(self):
        return resolve_url(settings.LOGIN_REDIRECT_URL)


class ResetConfirm(PasswordResetConfirmView):
    """Where the link of a reset mail leads, and the first admin's link: to a password of one's own, logged in."""

    template_name = "accounts/reset_confirm.html"
    success_url = reverse_lazy("dashboard")
    post_reset_login = True
    post_reset_login_backend = "django.contrib.auth.backends.ModelBackend"

    @method_decorator(never_cache)
    def dispatch(self, *args, **kwargs):
        """The link itself is a page with a button; the button makes it this session's, and leads to the form."""
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

    def form_valid(self, form):
        messages.success(self.request, "Your new password is set, and you are logged in.")
        return super().form_valid(form)


def forgotten(request):
    """As `reset`, for Open edX's own pages and apps: no page, and the same answer for whatever address."""
    email = request.POST.get("email", "")[:254]
    if not email:
        return HttpResponse("No email address provided.", status=400)
    return HttpResponse(status=503 if send(tasks.password_reset, email) is None else 200)


def reset(request):
    """Asks for the reset mail. The answer is the same whether or not there is such an account."""
    form = ResetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if _mail(request, tasks.password_reset, form.cleaned_data["email"]):
            messages.success(request, "If there is an account with this address, a mail is on its way to it.")
        return redirect("reset")
    return render(request, "accounts/reset.html", {"form": form})


@require_POST
def log_out(request):
    """Ends the session."""
    logout(request)
    return redirect("home" if settings.VARIANT == "lms" else "welcome")


def register(request):
    """Makes an account. It is logged in at once only where the portal does without activation."""
    if request.user.is_authenticated:
        return redirect("dashboard")
    form = RegistrationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                user = form.save()
        except IntegrityError:
            # Another request took the name or the address since the form looked.
            form.add_error(None, "This user name or e-mail address has just been taken.")
        else:
            if user.is_active:
                login(request, user, backend="django.contrib.auth.backends.ModelBackend")
                return redirect("dashboard")
            _mail(request, tasks.activation, user.pk)
            return redirect("registered")
    return render(request, "accounts/register.html", {"form": form})


def registered(request):
    """What to do next: open the mail."""
    return render(request, "accounts/registered.html")


@never_cache
def activate(request, uid, token):
    """Where the link of an activation mail leads: to a button, and that to an active account."""
    user = tokens.user_of(uid, token)
    if user is None:
        return render(request, "accounts/activation_void.html", status=410)
    # Whoever scans mails opens their links: an account is not made active by that.
    if request.method != "POST":
        return render(request, "accounts/link.html", {"what": "activate your account"})
    # The time also makes every other activation link of this account void for good.
    User.objects.filter(pk=user.pk).update(is_active=True, last_login=timezone.now())
    messages.success(request, "Your account is active. Please log in.")
    return redirect("login")


def _mail(request, task, argument):
    """Whether the broker has the mail to send; if not, the page says so."""
    if send(task, argument) is None:
        messages.error(request, AWAY)
        return False
    return True
