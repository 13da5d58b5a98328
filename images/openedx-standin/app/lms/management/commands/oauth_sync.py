"""The studio as a client of the lms's log-in."""

from collections.abc import Sequence

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.management.base import BaseCommand
from oauth2_provider.models import Application


class Command(BaseCommand):
    """Creates or updates the client by the settings. Safe to run again."""

    # They would load all pages, which this command does not need.
    requires_system_checks: Sequence[str] = []

    def handle(self, *args: object, **options: object) -> None:
        """Run the command."""
        client, secret = settings.SSO["client"], settings.SSO["secret"]
        application = Application.objects.filter(client_id=client).first() or Application(client_id=client)
        values = {
            "name": "studio",
            "client_type": Application.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
            "redirect_uris": settings.SSO["redirect"],
            "skip_authorization": True,
        }
        changed = [key for key, value in values.items() if getattr(application, key) != value]
        for key in changed:
            setattr(application, key, values[key])
        # Stored as a hash; saving the model hashes it.
        if application.pk is None or not check_password(secret, application.client_secret):
            application.client_secret = secret
            changed.append("client_secret")
        if changed:
            application.save()
        self.stdout.write(f"client {client}: {', '.join(changed) or 'unchanged'}")
