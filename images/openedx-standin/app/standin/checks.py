"""One question to each data store, as edx-platform's heartbeat asks it. Each raises what went wrong."""

import socket

from django.conf import settings
from django.db import connection

from courses import search, store
from standin.celery import app

# Seconds that a single step (name, connect, answer) may take.
STEP = 2


def modulestore() -> None:
    """Mongo answers a ping."""
    store.database().command("ping")


def sql() -> None:
    """MySQL answers a query over a connection of its own."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def memcached() -> None:
    """Every memcached tells its version."""
    for place in settings.CACHES["default"]["LOCATION"]:
        host, _, port = place.partition(":")
        with socket.create_connection((host, int(port or 11211)), timeout=STEP) as connected:
            connected.sendall(b"version\r\n")
            if not connected.recv(64).startswith(b"VERSION"):
                raise ConnectionError("not memcached's answer")


def elasticsearch() -> None:
    """The cluster is green or yellow."""
    status = search.client().cluster.health(request_timeout=STEP)["status"]
    if status not in ("green", "yellow"):
        raise ConnectionError(f"cluster is {status}")


def rabbitmq() -> None:
    """The broker takes our user and vhost."""
    with app.connection_for_write(connect_timeout=STEP, heartbeat=0) as broker:
        broker.connect()


def redis() -> None:
    """Celery's results: Redis answers a ping."""
    import redis

    with redis.Redis(
        **settings.RESULTS, socket_timeout=STEP, socket_connect_timeout=STEP, retry=None
    ) as client:
        client.ping()


def celery() -> None:
    """A worker of this variant answers through the broker; it does so while it is at work on a task, too."""
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
