"""One check for each data store, as in edx-platform's heartbeat. Each raises if it fails."""

import socket

from django.conf import settings
from django.db import connection

from courses import search, store
from standin.celery import app

# Seconds that a single step (name, connect, answer) may take.
STEP = 2


def modulestore() -> None:
    """Mongo must answer a ping."""
    store.database().command("ping")


def sql() -> None:
    """MySQL must answer a query over a new connection."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def memcached() -> None:
    """Each memcached must answer with its version."""
    for address in settings.CACHES["default"]["LOCATION"]:
        host, _, port = address.partition(":")
        with socket.create_connection((host, int(port or 11211)), timeout=STEP) as connected:
            connected.sendall(b"version\r\n")
            if not connected.recv(64).startswith(b"VERSION"):
                raise ConnectionError("not memcached's answer")


def elasticsearch() -> None:
    """The cluster must be green or yellow."""
    status = search.client().cluster.health(request_timeout=STEP)["status"]
    if status not in ("green", "yellow"):
        raise ConnectionError(f"cluster is {status}")


def rabbitmq() -> None:
    """The broker must accept our user and vhost."""
    with app.connection_for_write(connect_timeout=STEP, heartbeat=0) as broker:
        broker.connect()


def redis() -> None:
    """Redis, for Celery's results, must answer a ping."""
    import redis

    with redis.Redis(
        **settings.RESULTS, socket_timeout=STEP, socket_connect_timeout=STEP, retry=None
    ) as client:
        client.ping()


def celery() -> None:
    """A worker of this variant must answer through the broker, which it does also during a task."""
    pattern = f"celery@edx.{settings.VARIANT}.core.*"
    with app.connection_for_write(connect_timeout=STEP, heartbeat=0) as broker:
        broker.connect()
        answers = app.control.ping(connection=broker, pattern=pattern, matcher="glob", limit=1, timeout=4)
    if not answers:
        raise TimeoutError(f"no worker {pattern} answered")


DEFAULT = {"modulestore": modulestore, "sql": sql}
EXTENDED = {
    **DEFAULT,
    "memcached": memcached,
    "elasticsearch": elasticsearch,
    "rabbitmq": rabbitmq,
    "redis": redis,
    "celery": celery,
}
