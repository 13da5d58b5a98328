"""The catalogue's search, through Elasticsearch."""

from collections.abc import Iterable
from functools import cache

from django.conf import settings
from elasticsearch import Elasticsearch, helpers

from courses.store import Course

INDEX = "courses"
FIELDS = ("title", "org", "number", "run", "description")
SIZE = 50
# Seconds: a page waits for an answer to a search, nobody does while a course is written.
READ, WRITE = 5, 30


@cache
def client() -> Elasticsearch:
    """This process's client. No second try by itself: the heartbeat and pages want the truth soon."""
    return Elasticsearch(settings.ELASTIC_SEARCH_CONFIG, timeout=READ, max_retries=0, maxsize=4)


def _ready() -> None:
    """The index, without replicas: there is one node."""
    body = {"settings": {"number_of_shards": 1, "number_of_replicas": 0}}
    client().indices.create(INDEX, body=body, ignore=400, request_timeout=WRITE)


def _document(course: Course) -> dict[str, str]:
    return {field: course.get(field, "") for field in FIELDS}


def index(course: Course) -> None:
    """Makes a course findable, at once."""
    _ready()
    client().index(INDEX, id=course["_id"], body=_document(course), refresh="true", request_timeout=WRITE)


def reindex(courses: Iterable[Course]) -> int:
    """Makes courses findable once more, such as after a new index; how many."""
    _ready()
    actions = ({"_index": INDEX, "_id": each["_id"], "_source": _document(each)} for each in courses)
    done, _ = helpers.bulk(client(), actions, refresh="true", request_timeout=WRITE)
    return done


def search(words: str) -> list[Course]:
    """The courses that have all the words, best first."""
    query = {
        "simple_query_string": {
            "query": words,
            "fields": ["title^3", "number^2", "org", "run", "description"],
            "default_operator": "and",
            "lenient": True,
        }
    }
    found = client().search(index=INDEX, body={"query": query, "size": SIZE}, ignore_unavailable=True)
    return [{"key": hit["_id"], **hit["_source"]} for hit in found["hits"]["hits"]]
