"""What the lms keeps of its own in MySQL."""

from django.conf import settings
from django.db import models


class GradeReport(models.Model):
    """A learner's last grade report: asked for on the dashboard, made by a worker."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True)
    requested = models.DateTimeField()
    finished = models.DateTimeField(null=True)
    courses = models.PositiveIntegerField(null=True)


class Enrollment(models.Model):
    """A learner in a course, and since when its one unit is done. One who left keeps the row, no longer active."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    course = models.CharField(max_length=180)
    title = models.CharField(max_length=200)
    created = models.DateTimeField(auto_now_add=True)
    completed = models.DateTimeField(null=True)
    is_active = models.BooleanField(default=True)
    mode = models.CharField(max_length=100, default="audit")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "course"], name="once_a_course")]
