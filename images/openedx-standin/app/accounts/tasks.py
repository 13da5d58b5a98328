"""Mail, sent by the lms's workers: a page never waits for a mail server, and nobody loses one that is away."""

from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from accounts import tokens
from accounts.models import User

# What a queue may hold of a mail is whom it is for; the link is made when it is sent.
mail_task = shared_task(autoretry_for=(OSError,), retry_backoff=2, retry_backoff_max=60, max_retries=30)


@mail_task
def activation(user_id):
    """The mail whose link makes a new account active. Run twice it is sent twice, which harms nobody."""
    user = User.objects.filter(pk=user_id, is_active=False).first()
    if user is not None:
        _send("activation", f"Activate your account at {settings.PLATFORM_NAME}", user, tokens.make(user))


@mail_task
def password_reset(email):
    """The mail whose link sets a new password, to everybody active of that address."""
    # Forms are for pages; a worker does without them until it needs one.
    from django.contrib.auth.forms import PasswordResetForm

    for user in PasswordResetForm().get_users(email):
        _send("password_reset", f"Your password at {settings.PLATFORM_NAME}", user, tokens.reset(user))


def _send(name, subject, user, link):
    context = {
        "user": user,
        "platform_name": settings.PLATFORM_NAME,
        "link": settings.LMS_ROOT_URL + reverse(name, kwargs=link),
    }
    text = render_to_string(f"accounts/mail/{name}.txt", context)
    # A title with a line end would be refused as a header.
    send_mail(" ".join(subject.split()), text, None, [user.email])
