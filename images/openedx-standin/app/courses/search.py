"""The catalogue's search, through Elasticsearch."""

from collections.abc import Iterable
from functools import cache

from django.conf import settings
from elasticsearch import Elasticsearch, helpers

from courses.store import Course

INDEX = "courses"
FIELDS = ("title", "org", "number", "run", "description")
SIZE = 50
# Seconds. A page waits for a search; nothing waits while a course is indexed.
READ, WRITE = 5, 30


@cache
def client() -> Elasticsearch:
    """This process's client. It does not retry, so that the heartbeat and pages know soon."""
    return Elasticsearch(settings.ELASTIC_SEARCH_CONFIG, timeout=READ, max_retries=0, maxsize=4)


def _create_index() -> None:
    """Create the index if it is missing, without replicas, because there is one node."""
    body = {"settings": {"number_of_shards": 1, "number_of_replicas": 0}}
    client().indices.create(INDEX, body=body, ignore=400, request_timeout=WRITE)


def _document(course: Course) -> dict[str, str]:
    return {field: course.get(field, "") for field in FIELDS}


def index(course: Course) -> None:
    """Index a course, with an immediate refresh."""
    _create_index()
    client().index(INDEX, id=course["_id"], body=_document(course), refresh="true", request_timeout=WRITE)


def reindex(courses: Iterable[Course]) -> int:
    """Index courses again, for example in a new index; returns how many."""
    _create_index()
    actions = ({"_index": INDEX, "_id": each["_id"], "_source": _document(each)} for each in courses)
    count: int
    count, _ = helpers.bulk(client(), actions, refresh="true", request_timeout=WRITE)
    return count


def search(words: str) -> list[Course]:
    """The courses that contain all words, best first."""
    query = {
        "simple_query_string": {
            "query": words,
            "fields": ["title^3", "number^2", "org", "run", "description"],
            "default_operator": "and",
            "lenient": True,
        }
    }
    answer = client().search(index=INDEX, body={"query": query, "size": SIZE}, ignore_unavailable=True)
    return [{"key": hit["_id"], **hit["_source"]} for hit in answer["hits"]["hits"]]
