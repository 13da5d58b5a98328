"""The first admin's log-in link."""

from collections.abc import Sequence

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from accounts import tokens
from accounts.models import User


class Command(BaseCommand):
    """Prints a link that works once: the admin sets a password and is logged in. Prints nothing else."""

    requires_system_checks: Sequence[str] = []

    def handle(self, *args: object, **options: object) -> None:
        """Run the command."""
        name = settings.ADMIN["username"]
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise CommandError(f"there is no active admin {name}; create-admin creates it")
        self.stdout.write(settings.LMS_ROOT_URL + reverse("password_reset", kwargs=tokens.reset_parts(user)))
