"""Log-in, log-out, registration, change of password."""

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.db import IntegrityError, transaction
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_POST

from accounts.forms import LogInForm, RegistrationForm


class LogIn(LoginView):
    """Whoever is logged in already goes on."""

    template_name = "accounts/login.html"
    authentication_form = LogInForm
    redirect_authenticated_user = True


class ChangePassword(PasswordChangeView):
    """Kept through ordinary redeploys, also for the first admin."""

    template_name = "accounts/password.html"

    def get_success_url(self):
        return resolve_url(settings.LOGIN_REDIRECT_URL)


@require_POST
def log_out(request):
    """Ends the session."""
    logout(request)
    return redirect("home")


def register(request):
    """Makes an account and logs it in."""
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
            login(request, user, backend="django.contrib.auth.backends.ModelBackend")
            return redirect("dashboard")
    return render(request, "accounts/register.html", {"form": form})
