"""The tasks of the cms's workers."""

from celery import shared_task

from courses import search, store


@shared_task(autoretry_for=(Exception,), retry_backoff=2, retry_backoff_max=60, max_retries=30)
def publish(key: str) -> None:
    """Index a course, then show it to learners. Safe to run twice; retried while a store is unavailable."""
    course = store.get(key)
    if course is not None:
        search.index(course)
        store.publish(key)
