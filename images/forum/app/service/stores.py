"""The two stores: one client each, that connects when first used and waits for no store for long."""

from functools import cache

from django.conf import settings
from elasticsearch import Elasticsearch
from pymongo import MongoClient
from pymongo.database import Database

SECONDS = 3


@cache
def database() -> Database:
    """The forum's database on mongo."""
    told = settings.CONFIG
    client: MongoClient = MongoClient(
        told.mongo_host,
        told.mongo_port,
        username=told.mongo_user,
        password=told.mongo_password,
        authSource=told.mongo_auth_database,
        # No weaker one, whatever answers at that address.
        authMechanism="SCRAM-SHA-256",
        # gunicorn forks after this.
        connect=False,
        appname="forum",
        maxPoolSize=16,
        # MongoDB's stand-in has no sessions, and retries need them.
        retryWrites=False,
        serverSelectionTimeoutMS=SECONDS * 1000,
        connectTimeoutMS=SECONDS * 1000,
        socketTimeoutMS=10_000,
        waitQueueTimeoutMS=SECONDS * 1000,
    )
    return client[told.mongo_database]


@cache
def search() -> Elasticsearch:
    """The client of elasticsearch."""
    return Elasticsearch(settings.FORUM_ELASTIC_SEARCH_CONFIG, timeout=SECONDS, max_retries=0, maxsize=16)
