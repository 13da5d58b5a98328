"""Sends tasks from pages to the workers."""

import logging

from celery import Task
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def send(task: Task, *args: object) -> str | None:
    """Send a task; returns its id when the broker has it on disk, None if the broker is unavailable."""
    try:
        task_id: str = task.delay(*args).id
    except (OperationalError, OSError) as error:
        logger.error("%s not queued: %s: %s", task.name, type(error).__name__, str(error)[:200])
        return None
    return task_id
