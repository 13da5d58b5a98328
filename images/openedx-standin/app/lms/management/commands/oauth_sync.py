"""The studio as a client of the lms's log-in."""

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.management.base import BaseCommand
from oauth2_provider.models import Application


class Command(BaseCommand):
    """Makes the client, or brings it to the settings. Run again it changes nothing."""

    # They would load every page for nothing.
    requires_system_checks = []

    def handle(self, *args, **options):
        client, secret = settings.SSO["client"], settings.SSO["secret"]
        found = Application.objects.filter(client_id=client).first() or Application(client_id=client)
        wanted = {
            "name": "studio",
            "client_type": Application.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
            "redirect_uris": settings.SSO["redirect"],
            "skip_authorization": True,
        }
        changed = [key for key, value in wanted.items() if getattr(found, key) != value]
        for key in changed:
            setattr(found, key, wanted[key])
        # Kept as a hash; an assignment is hashed when it is saved.
        if found.pk is None or not check_password(secret, found.client_secret):
            found.client_secret = secret
            changed.append("client_secret")
        if changed:
            found.save()
        self.stdout.write(f"client {client}: {', '.join(changed) or 'as it should be'}")
