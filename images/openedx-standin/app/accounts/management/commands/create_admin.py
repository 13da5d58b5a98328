"""The portal's first admin."""

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import AppliedSecret, User
from standin import config


class Command(BaseCommand):
    """Makes the admin if missing; sets the password only when the secret is not the one last applied."""

    # They would load every page for nothing.
    requires_system_checks = []

    def handle(self, *args, **options):
        name, email = settings.ADMIN["username"], settings.ADMIN["email"]
        secret = config.secret("admin-password")
        if other := User.objects.filter(email=email).exclude(username=name).first():
            raise CommandError(
                f"the admin's e-mail {email} is that of the user {other.username}; give another"
            )
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
        self.stdout.write(f"admin {name}: password {'set from the secret' if renewed else 'left as it is'}")
