"""Handing a task to the workers from a page."""

import logging

from celery import Task
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def send(task: Task, *args: object) -> str | None:
    """The task's id once the broker has it on disk; None when the broker is away."""
    try:
        return task.delay(*args).id
    except (OperationalError, OSError) as error:
        logger.error("%s not queued: %s: %s", task.name, type(error).__name__, str(error)[:200])
        return None
