"""Clients of the data stores, run inside a container that has their drivers: image_clients.py STORE HOST VERB.

`write` writes one thing after the other, prints each number once it is acknowledged, and ends when the store is gone;
`read` prints the numbers that are there; `login` tells by its exit code whether the password is taken. The password
comes in the environment.
"""

# The drivers are in the container alone.
# mypy: ignore-errors
# ruff: noqa: BLE001

import itertools
import os
import signal
import sys
import time

PASSWORD = os.environ.get("PASSWORD", "")
LIMIT_SECONDS = 5


class MySql:
    """One row a number."""

    def __init__(self, host):
        import pymysql

        self.connection = pymysql.connect(
            host=host,
            user="edxapp",
            password=PASSWORD,
            database="edxapp",
            autocommit=True,
            connect_timeout=LIMIT_SECONDS,
            read_timeout=LIMIT_SECONDS,
        )
        self.cursor = self.connection.cursor()

    def prepare(self):
        self.cursor.execute("CREATE TABLE IF NOT EXISTS numbers (n INT PRIMARY KEY, t VARCHAR(20) NOT NULL)")

    def write(self, number):
        self.cursor.execute("INSERT INTO numbers VALUES (%s, '😀')", (number,))

    def read(self):
        self.cursor.execute("SELECT n FROM numbers WHERE t = '😀'")
        return [row[0] for row in self.cursor.fetchall()]


class Mongo:
    """One document a number, and a unique index that must agree with the documents."""

    def __init__(self, host):
        import pymongo

        limit = LIMIT_SECONDS * 1000
        self.numbers = pymongo.MongoClient(
            host,
            username="openedx",
            # An empty one would be no log-in at all.
            password=PASSWORD or " ",
            authSource="openedx",
            serverSelectionTimeoutMS=limit,
            socketTimeoutMS=limit,
            retryWrites=False,
        ).trial.numbers
        self.numbers.find_one()

    def prepare(self):
        self.numbers.create_index("twice", unique=True)

    def write(self, number):
        self.numbers.insert_one({"_id": number, "twice": 2 * number})

    def read(self):
        numbers = [each["_id"] for each in self.numbers.find()]
        # By the index; and the next number is free in both.
        assert all(self.numbers.count_documents({"twice": 2 * each}) == 1 for each in numbers[-20:])
        self.write(max(numbers) + 1)
        self.numbers.delete_one({"_id": max(numbers) + 1})
        return numbers


class Redis:
    """One key a number."""

    def __init__(self, host):
        import redis

        self.redis = redis.Redis(
            host, password=PASSWORD, socket_timeout=LIMIT_SECONDS, socket_connect_timeout=5
        )
        self.redis.ping()

    def prepare(self):
        pass

    def write(self, number):
        self.redis.set(f"number:{number}", "x")

    def read(self):
        return [int(key.split(b":")[1]) for key in self.redis.scan_iter("number:*", count=1000)]


class RabbitMq:
    """One persistent message a number, confirmed by the broker."""

    def __init__(self, host):
        import amqp

        self.connection = amqp.Connection(
            host,
            userid="edxapp",
            password=PASSWORD,
            virtual_host="openedx",
            confirm_publish=True,
            connect_timeout=LIMIT_SECONDS,
            read_timeout=LIMIT_SECONDS,
        )
        self.connection.connect()
        self.channel = self.connection.channel()

    def prepare(self):
        self.channel.queue_declare("numbers", durable=True, auto_delete=False)

    def write(self, number):
        import amqp

        message = amqp.Message(str(number), delivery_mode=2)
        self.channel.basic_publish(message, routing_key="numbers", timeout=LIMIT_SECONDS)

    def read(self):
        numbers = []
        while (message := self.channel.basic_get("numbers")) is not None:
            numbers.append(int(message.body))
        # Not acknowledged, so that they stay.
        self.channel.close()
        return numbers


class Elasticsearch:
    """One document a number."""

    def __init__(self, host):
        import elasticsearch

        self.client = elasticsearch.Elasticsearch(
            [f"http://{host}:9200"], http_auth=("elastic", PASSWORD), timeout=LIMIT_SECONDS, max_retries=0
        )
        self.client.info()

    def prepare(self):
        self.client.indices.create(
            "numbers", body={"mappings": {"properties": {"n": {"type": "integer"}}}}, ignore=400
        )

    def write(self, number):
        self.client.index("numbers", {"n": number}, id=number)

    def read(self):
        self.client.indices.refresh("numbers")
        hits = self.client.search(index="numbers", body={"size": 10000, "query": {"match_all": {}}})
        return [hit["_source"]["n"] for hit in hits["hits"]["hits"]]


STORES = {
    "mysql": MySql,
    "mongo": Mongo,
    "redis": Redis,
    "rabbitmq": RabbitMq,
    "elasticsearch": Elasticsearch,
}


class Gone(BaseException):
    """The store does not answer; nothing that a driver catches to try again."""


def give_up(*_):
    raise Gone


def main(store, host, verb):
    signal.signal(signal.SIGALRM, give_up)
    try:
        client = STORES[store](host)
    except Exception as error:
        print(type(error).__name__, error, file=sys.stderr)
        return 3
    if verb == "login":
        return 0
    if verb == "read":
        print(*sorted(client.read()))
        return 0
    client.prepare()
    for number in itertools.count(1):
        signal.alarm(LIMIT_SECONDS)
        try:
            client.write(number)
        except (Exception, Gone) as error:
            print(type(error).__name__, error, file=sys.stderr)
            return 0
        print(number, flush=True)
        # Redis would acknowledge a hundred thousand before a kill gets through.
        time.sleep(0.001)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
