"""The course list in Mongo, as far as the stand-in has a modulestore."""

from functools import cache
from typing import Any

from django.conf import settings
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

Course = dict[str, Any]
# As many as a page shows.
LIMIT = 200


class CourseExists(Exception):
    """There is a course of that key already."""


@cache
def client() -> MongoClient[Course]:
    """This process's client: made at the first question, so after gunicorn's and Celery's forks."""
    told = settings.DOC_STORE
    return MongoClient(
        told["host"],
        told["port"],
        username=told["user"],
        password=told["password"],
        # As edx-platform does it.
        authSource=told.get("authsource") or told["db"],
        # No weaker one, whatever answers at that address.
        authMechanism="SCRAM-SHA-256",
        serverSelectionTimeoutMS=3000,
        connectTimeoutMS=2000,
        socketTimeoutMS=10000,
        maxPoolSize=16,
        appname=f"edxapp-{settings.VARIANT}",
    )


def database() -> Database[Course]:
    """The portal's database."""
    return client()[settings.DOC_STORE["db"]]


def _courses() -> Collection[Course]:
    return database()["modulestore.courses"]


def _read(document: Course) -> Course:
    """With the key under a name that a template may say."""
    return {**document, "key": document["_id"]}


def create(course: Course) -> None:
    """Writes a course that nobody has published yet. Raises CourseExists."""
    try:
        _courses().insert_one({**course, "published": False})
    except DuplicateKeyError:
        raise CourseExists(course["_id"]) from None


def get(key: str) -> Course | None:
    """The course of a key."""
    document = _courses().find_one({"_id": key})
    return document and _read(document)


def publish(key: str) -> None:
    """From now on learners see it."""
    _courses().update_one({"_id": key}, {"$set": {"published": True}})


def set_image(key: str, image: str) -> str | None:
    """Gives a course its image, a path below MEDIA_ROOT; the path of the one that it had."""
    before = _courses().find_one_and_update({"_id": key}, {"$set": {"image": image}}, projection={"image": 1})
    return before and before.get("image")


def courses() -> list[Course]:
    """All, as the studio lists them."""
    return [_read(each) for each in _courses().find().sort("title").limit(LIMIT)]


def published() -> list[Course]:
    """Those that learners see."""
    return [_read(each) for each in _courses().find({"published": True}).sort("title").limit(LIMIT)]
