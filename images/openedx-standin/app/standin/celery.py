"""The Celery application of a variant: queues as edx-platform names them, on RabbitMQ; results in Redis."""

import os
from typing import Any
from urllib.parse import quote

from celery import Celery
from celery.signals import worker_ready
from django.conf import settings
from kombu import Exchange, Queue

from standin.alive import Alive
from standin.entry import QUEUES
from standin.prompt import Prompt

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "standin.settings")

app = Celery("standin")


def _queues(variant: str) -> list[Queue]:
    exchange = Exchange("edx.core", type="direct", durable=True)
    return [
        Queue(name, exchange, routing_key=name, durable=True)
        for name in (f"edx.{variant}.core.{queue}" for queue in QUEUES[variant])
    ]


def _broker() -> str:
    config = settings.BROKER
    user, password, vhost = (quote(config[key], safe="") for key in ("userid", "password", "virtual_host"))
    return f"amqp://{user}:{password}@{config['hostname']}:{config['port']}/{vhost}"


def _results() -> str:
    config = settings.RESULTS
    return f"redis://:{quote(config['password'], safe='')}@{config['host']}:{config['port']}/{config['db']}"


app.conf.update(
    broker_url=_broker(),
    # A page must not hang while the broker is unavailable; a task that was accepted is on the broker's disk.
    broker_connection_timeout=3,
    broker_transport_options={
        "confirm_publish": True,
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.2,
        "interval_max": 0.2,
        "read_timeout": 5,
        "write_timeout": 5,
    },
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_max": 0.2},
    broker_pool_limit=2,
    # A worker waits for the broker for ever.
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_heartbeat=20,
    result_backend=_results(),
    result_expires=3600,
    # Pages show results from MySQL. Only tasks that ask for it keep their result in Redis.
    task_ignore_result=True,
    redis_socket_connect_timeout=2,
    redis_socket_timeout=5,
    result_backend_transport_options={"retry_policy": {"max_retries": 1, "timeout": 2}},
    task_default_exchange="edx.core",
    task_default_exchange_type="direct",
    task_default_queue=f"edx.{settings.VARIANT}.core.default",
    task_default_routing_key=f"edx.{settings.VARIANT}.core.default",
    task_queues=[queue for variant in QUEUES for queue in _queues(variant)],
    task_routes={
        "accounts.tasks.*": {"queue": "edx.lms.core.default"},
        "courses.tasks.*": {"queue": "edx.cms.core.default"},
        # As edx-platform's GRADES_DOWNLOAD_ROUTING_KEY.
        "lms.tasks.grade_report": {"queue": "edx.lms.core.high_mem"},
        "lms.tasks.*": {"queue": "edx.lms.core.default"},
    },
    # Tasks are acknowledged when they end, so another worker runs the task of a killed one.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=1000,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_send_task_events=False,
    task_time_limit=3600,
    timezone="UTC",
)
app.autodiscover_tasks()


@worker_ready.connect
def _report_ready(**_: Any) -> None:
    """Tell the supervisor that this generation accepts tasks, so that it terminates the one before."""
    if descriptor := os.environ.get("OPENEDX_READY_FD"):
        os.write(int(descriptor), b"1")
        os.close(int(descriptor))


app.steps["consumer"].add(Alive)
app.steps["consumer"].add(Prompt)
