"""What the cms's workers do for courses."""

from celery import shared_task

from courses import search, store


@shared_task(autoretry_for=(Exception,), retry_backoff=2, retry_backoff_max=60, max_retries=30)
def publish(key):
    """Makes a course findable, then visible. Safe to run twice; tried again while a store is away."""
    course = store.get(key)
    if course is not None:
        search.index(course)
        store.publish(key)
