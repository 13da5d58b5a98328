"""Mail, sent by the lms's workers: a page never waits for a mail server, and nobody loses one that is away."""

import logging
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused

from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from accounts import refusals, tokens
from accounts.models import User

logger = logging.getLogger(__name__)

# What a queue may hold of a mail is whom it is for; the link is made when it is sent.
# An OSError is a mailer that is away, or says "not now" (every SMTPException is one): tried again after 2, 4, 8 … 300 s,
# up to two hours in all. A broker takes a task back that waits much longer.
mail_task = shared_task(autoretry_for=(OSError,), retry_backoff=2, retry_backoff_max=300, max_retries=30)


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
    try:
        # A title with a line end would be refused as a header.
        send_mail(" ".join(subject.split()), text, None, [user.email])
    except (SMTPRecipientsRefused, SMTPSenderRefused, SMTPDataError) as error:
        if not (refused := refusals.final(error)):
            # Celery logs why it tries again, and the error itself names the address.
            raise OSError(f"the mailer says not now: {type(error).__name__}") from None
        # The same mail would be refused again. The account is named by its number: a log has nobody's address.
        logger.error("the %s mail to account %s is refused for good: %s", name, user.pk, refused)
