"""The clients of the two stores: each connects when first used, and has time limits."""

from functools import cache
from typing import Any

from django.conf import settings
from elasticsearch import Elasticsearch
from pymongo import MongoClient
from pymongo.database import Database

SECONDS = 3


@cache
def database() -> Database[dict[str, Any]]:
    """The forum's database on mongo."""
    config = settings.CONFIG
    client: MongoClient[dict[str, Any]] = MongoClient(
        config.mongo_host,
        config.mongo_port,
        username=config.mongo_user,
        password=config.mongo_password,
        authSource=config.mongo_auth_database,
        # Never a weaker mechanism, whatever server answers.
        authMechanism="SCRAM-SHA-256",
        # gunicorn forks later, and connections must not be shared.
        connect=False,
        appname="forum",
        maxPoolSize=16,
        # The stand-in for MongoDB has no sessions, which retries need.
        retryWrites=False,
        serverSelectionTimeoutMS=SECONDS * 1000,
        connectTimeoutMS=SECONDS * 1000,
        socketTimeoutMS=10_000,
        waitQueueTimeoutMS=SECONDS * 1000,
    )
    return client[config.mongo_database]


@cache
def search() -> Elasticsearch:
    """The client of elasticsearch."""
    return Elasticsearch(settings.FORUM_ELASTIC_SEARCH_CONFIG, timeout=SECONDS, max_retries=0, maxsize=16)
