"""Mail, sent by the lms's workers: no page waits for a mail server, and no mail is lost while it is unavailable."""

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

# The queue only holds whom a mail is for; the link is made when the mail is sent.
# An OSError (each SMTPException is one) means that the mailer is unavailable or refuses for now: retried after 2, 4, 8 …
# 300 s, up to two hours in all. The broker would redeliver a task that waits much longer.
mail_task = shared_task(autoretry_for=(OSError,), retry_backoff=2, retry_backoff_max=300, max_retries=30)


@mail_task
def activation(user_id: int) -> None:
    """Send the mail with the activation link. Run twice it is sent twice, which is harmless."""
    user = User.objects.filter(pk=user_id, is_active=False).first()
    if user is not None:
        _send(
            "activation",
            f"Activate your account at {settings.PLATFORM_NAME}",
            user,
            tokens.activation_parts(user),
        )


@mail_task
def password_reset(email: str) -> None:
    """Send the mail with the link to a new password to each active user with that address."""
    # Imported here, because workers need forms only for this.
    from django.contrib.auth.forms import PasswordResetForm

    for user in PasswordResetForm().get_users(email):
        _send("password_reset", f"Your password at {settings.PLATFORM_NAME}", user, tokens.reset_parts(user))


def _send(name: str, subject: str, user: User, link: dict[str, str]) -> None:
    context = {
        "user": user,
        "platform_name": settings.PLATFORM_NAME,
        "link": settings.LMS_ROOT_URL + reverse(name, kwargs=link),
    }
    text = render_to_string(f"accounts/mail/{name}.txt", context)
    try:
        # A line end in the title would make an invalid header.
        send_mail(" ".join(subject.split()), text, None, [user.email])
    except (SMTPRecipientsRefused, SMTPSenderRefused, SMTPDataError) as error:
        if not (refused := refusals.permanent_refusal(error)):
            # Celery logs the reason of a retry, and the error itself contains the address.
            raise OSError(f"the mailer refuses for now: {type(error).__name__}") from None
        # The same mail would be refused again. The log names the account by its number, not by its address.
        logger.error("the %s mail to account %s is refused for good: %s", name, user.pk, refused)
