"""The user table, and what is remembered of the admin's secret."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """As edx-platform's: one account an e-mail address."""

    email = models.EmailField("e-mail", unique=True)

    class Meta(AbstractUser.Meta):
        db_table = "auth_user"


class Profile(models.Model):
    """What somebody tells of themselves: a name, the rest by Open edX's keys, and preferences."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True)
    name = models.CharField(max_length=255, blank=True)
    answers = models.JSONField(default=dict)
    preferences = models.JSONField(default=dict)


class AppliedSecret(models.Model):
    """The salted hash of the secret last made a user's password, to tell a new secret from the same once more."""

    username = models.CharField(max_length=150, primary_key=True)
    hash = models.CharField(max_length=255)


class OpenedLink(models.Model):
    """A link with a token that somebody has opened, and the session it belongs to: both as hashes."""

    link = models.CharField(max_length=64, primary_key=True)
    owner = models.CharField(max_length=64)
    opened = models.DateTimeField(db_index=True)
