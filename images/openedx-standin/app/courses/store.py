"""The courses in Mongo: the stand-in's modulestore."""

from functools import cache
from typing import Any

from django.conf import settings
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

Course = dict[str, Any]
# How many courses a page shows.
LIMIT = 200


class CourseExists(Exception):
    """There is a course of that key already."""


@cache
def client() -> MongoClient[Course]:
    """This process's client, created at the first query, so after gunicorn's and Celery's forks."""
    config = settings.DOC_STORE
    return MongoClient(
        config["host"],
        config["port"],
        username=config["user"],
        password=config["password"],
        # As in edx-platform.
        authSource=config.get("authsource") or config["db"],
        # Never a weaker mechanism, whatever server answers.
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


def _with_key(document: Course) -> Course:
    """The course with its key under a name that templates can use."""
    return {**document, "key": document["_id"]}


def create(course: Course) -> None:
    """Create an unpublished course. Raises CourseExists."""
    try:
        _courses().insert_one({**course, "published": False})
    except DuplicateKeyError:
        raise CourseExists(course["_id"]) from None


def get(key: str) -> Course | None:
    """The course of a key."""
    document = _courses().find_one({"_id": key})
    return document and _with_key(document)


def publish(key: str) -> None:
    """Show a course to learners."""
    _courses().update_one({"_id": key}, {"$set": {"published": True}})


def set_image(key: str, image: str) -> str | None:
    """Set a course's image, a path below MEDIA_ROOT; returns the path of the image before."""
    before = _courses().find_one_and_update({"_id": key}, {"$set": {"image": image}}, projection={"image": 1})
    image_before: str | None = before and before.get("image")
    return image_before


def courses() -> list[Course]:
    """All courses, for the studio."""
    return [_with_key(each) for each in _courses().find().sort("title").limit(LIMIT)]


def published() -> list[Course]:
    """The courses that learners see."""
    return [_with_key(each) for each in _courses().find({"published": True}).sort("title").limit(LIMIT)]
