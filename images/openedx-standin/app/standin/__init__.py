"""What lms and cms share: configuration, entry, health, Celery, pages' frame."""
