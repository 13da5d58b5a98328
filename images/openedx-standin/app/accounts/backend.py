"""Log-in by e-mail address, beside the user name."""

from django.contrib.auth.backends import ModelBackend

from accounts.models import User


class EmailBackend(ModelBackend):
    """Django's own, with the address looked up first."""

    def authenticate(self, request, username=None, password=None, **kwargs):
        if not username or "@" not in username:
            return None
        user = User.objects.filter(email=username).only("username").first()
        return super().authenticate(request, username=user.username, password=password) if user else None
