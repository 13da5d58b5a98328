"""The portal's first admin."""

from collections.abc import Sequence

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import AppliedSecret, User
from standin import config


class Command(BaseCommand):
    """Creates the admin if missing. Sets the password only if the secret differs from the one last applied."""

    # They would load all pages, which this command does not need.
    requires_system_checks: Sequence[str] = []

    def handle(self, *args: object, **options: object) -> None:
        """Run the command."""
        name, email = settings.ADMIN["username"], settings.ADMIN["email"]
        secret = config.secret("admin-password")
        if other := User.objects.filter(email=email).exclude(username=name).first():
            raise CommandError(f"the admin's e-mail {email} belongs to user {other.username}; set another")
        with transaction.atomic():
            applied, first = AppliedSecret.objects.select_for_update().get_or_create(username=name)
            user = User.objects.filter(username=name).first() or User(username=name)
            user.email, user.is_staff, user.is_superuser, user.is_active = email, True, True, True
            renewed = first or user.pk is None or not check_password(secret, applied.hash)
            if renewed:
                user.set_password(secret)
                applied.hash = make_password(secret)
                applied.save()
            user.save()
        self.stdout.write(f"admin {name}: password {'set from the secret' if renewed else 'unchanged'}")
