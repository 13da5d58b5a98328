"""The tasks of the lms's workers."""

from celery import shared_task
from django.utils import timezone

from courses import store
from lms.models import GradeReport


@shared_task(autoretry_for=(Exception,), retry_backoff=2, retry_backoff_max=60, max_retries=30)
def grade_report(user_id: int) -> None:
    """Count the published courses and save the result in a row, which survives the queue and the cache."""
    GradeReport.objects.filter(user=user_id).update(courses=len(store.published()), finished=timezone.now())
