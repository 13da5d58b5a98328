"""The first admin's way in."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from accounts import tokens
from accounts.models import User


class Command(BaseCommand):
    """Prints a link that is good once: to a password of the admin's own, and in. Nothing else is told."""

    requires_system_checks = []

    def handle(self, *args, **options):
        name = settings.ADMIN["username"]
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise CommandError(f"there is no active admin {name}; create-admin makes it")
        self.stdout.write(settings.LMS_ROOT_URL + reverse("password_reset", kwargs=tokens.reset(user)))
