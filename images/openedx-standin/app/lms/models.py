"""What the lms keeps of its own in MySQL."""

from django.conf import settings
from django.db import models


class GradeReport(models.Model):
    """A learner's last grade report: asked for on the dashboard, made by a worker."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True)
    requested = models.DateTimeField()
    finished = models.DateTimeField(null=True)
    courses = models.PositiveIntegerField(null=True)
