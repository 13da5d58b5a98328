"""The forum on real stores: as edx-platform's comments client calls it, and what it does while a store is away."""

import base64
import http.client
import json
import random
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import docker
import pytest

from testbed.waiting import until
from tests.e2e.image_engine import engine_with_images, make_directories
from tests.e2e.image_trial import KINDS, ImageContainer, store

pytestmark = pytest.mark.e2e

KEY = "k" * 32
MONGO = {"mongo-password": "m0ng@/:%41' \"$&"}
SEARCH = {"search-password": "se:rch/@%41' \"$&"}
COURSE = "course-v1:Demo+Zoo101+2026"
# docs/images.md: half of what it may have at most, when nothing was asked yet.
IDLE_MIB = 80
KILLS = 4


@dataclass(kw_only=True)
class Answer:
    """A status, and what the JSON said."""

    status: int
    document: Any


@dataclass(kw_only=True)
class Forum:
    """A forum, its stores, and a client that sends forms as edx-platform's does."""

    box: ImageContainer
    mongo: ImageContainer
    search: ImageContainer

    def call(self, method: str, path: str, key: str | None = KEY, **fields: object) -> Answer:
        text = urlencode({name: str(value) for name, value in fields.items()})
        headers = {"X-Edx-Api-Key": key} if key is not None else {}
        target, body = f"{path}?request_id=4f1c", None
        if method in ("POST", "PUT"):
            body, headers["Content-Type"] = text, "application/x-www-form-urlencoded"
        elif text:
            target += f"&{text}"
        connection = http.client.HTTPConnection(self.box.address, 4567, timeout=20)
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            is_json = answer.headers.get_content_type() == "application/json"
            return Answer(status=answer.status, document=json.loads(content) if is_json else None)
        finally:
            connection.close()

    def good(self, method: str, path: str, **fields: object) -> Any:
        answer = self.call(method, f"/api/v1/{path}", KEY, **fields)
        assert answer.status == 200, (method, path, answer, self.box.logs()[-3000:])
        return answer.document

    def post(self, title: str, body: str = "Look at it.", user: str = "7") -> str:
        made = self.good(
            "POST",
            "zoo/threads",
            title=title,
            body=body,
            course_id=COURSE,
            user_id=user,
            anonymous=False,
            anonymous_to_peers=False,
            thread_type="discussion",
            context="course",
        )
        return str(made["id"])

    def ids_matching(self, text: str) -> set[str]:
        """What the search finds; nothing while elasticsearch is on its way."""
        answer = self.call(
            "GET", "/api/v1/search/threads", text=text, course_id=COURSE, user_id=7, per_page=500
        )
        assert answer.status in (200, 503), answer
        return {each["id"] for each in answer.document.get("collection", [])}

    def heartbeat(self) -> tuple[int, bool, dict[str, bool]]:
        answer = self.call("GET", "/heartbeat", key=None)
        return answer.status, answer.document["OK"], answer.document["check"]


@pytest.fixture(scope="module")
def client() -> Iterator[docker.APIClient]:
    with engine_with_images(("mongo", "elasticsearch", "forum")) as made:
        yield made


@pytest.fixture(scope="module")
def folder(client: docker.APIClient) -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="portals-forum-", dir="/var/tmp"))
    make_directories(client, root, {name: KINDS[name].uid for name in ("mongo", "elasticsearch")})
    yield root
    for name in ("c-forum", "c-mongo", "c-elasticsearch"):
        ImageContainer(client=client, name=name, role="ops").remove()
    shutil.rmtree(root)


def service(
    client: docker.APIClient, *command: str, key: str | None = KEY, name: str = "c-forum"
) -> ImageContainer:
    return ImageContainer(
        client=client,
        name=name,
        role="forum",
        user="61001",
        memory=192,
        command=command,
        env=("MONGODB_HOST=mongo", "SEARCH_SERVER=http://elasticsearch:9200"),
        files={
            **{f"/run/secrets/{each}": text for each, text in {**MONGO, **SEARCH}.items()},
            **({} if key is None else {"/run/secrets/forum-api-key": key}),
        },
    )


@pytest.fixture(scope="module")
def forum(client: docker.APIClient, folder: Path) -> Forum:
    """A forum that was started before its stores."""
    made = Forum(
        box=service(client).create().start(),
        mongo=store(client, KINDS["mongo"], folder / "mongo", MONGO),
        search=store(client, KINDS["elasticsearch"], folder / "elasticsearch", SEARCH),
    )
    until("an answer", lambda: is_answering(made), limit=30)
    assert made.heartbeat() == (503, False, {"db": False, "es": False})
    assert made.call("GET", "/api/v1/threads", course_id=COURSE).status == 503
    made.mongo.create().start()
    made.search.create().start()
    made.box.wait_ready()
    for number, name in (("7", "ann"), ("8", "ben")):
        made.good("PUT", f"users/{number}", username=name, external_id=number)
    return made


def is_answering(forum: Forum) -> bool:
    try:
        return bool(forum.heartbeat())
    except OSError:
        return False


def test_it_runs_as_its_user_without_any_right(forum: Forum) -> None:
    status = dict(
        line.split(":\t", 1)
        for line in forum.box.exec("cat", "/proc/1/status")[1].splitlines()
        if ":\t" in line
    )
    assert status["Uid"].split() == ["61001"] * 4
    assert {int(status[each], 16) for each in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {0}


def test_idle_it_is_small(forum: Forum) -> None:
    limit = forum.box.client.stats(forum.box.name, stream=False)["memory_stats"]
    used = limit["usage"] - limit["stats"].get("total_inactive_file", limit["stats"].get("inactive_file", 0))
    assert used / 2**20 < IDLE_MIB


@pytest.mark.parametrize("key", [None, "", "K" * 32, KEY[:-1], KEY + "k", "é"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "threads"),
        ("GET", "threads/0123456789abcdef01234567"),
        ("POST", "zoo/threads"),
        ("GET", "search/threads"),
        ("PUT", "users/7"),
        ("DELETE", "comments/0123456789abcdef01234567"),
    ],
)
def test_nobody_is_served_without_the_key(forum: Forum, key: str | None, method: str, path: str) -> None:
    assert forum.call(method, f"/api/v1/{path}", key=key).status == 401


def test_a_discussion(forum: Forum) -> None:
    """Each call that edx-platform's client makes, in the order of a course's life."""
    ann = forum.good("GET", "users/7", course_id=COURSE, complete=True)
    assert (ann["id"], ann["username"]) == ("7", "ann")
    # Saving a user again, and with another name.
    forum.good("PUT", "users/8", username="ben", external_id="8", course_id=COURSE, complete=True)
    thread = forum.post("Stripes of zebras")
    answer = forum.good(
        "POST", f"threads/{thread}/comments", body="They confuse flies.", course_id=COURSE, user_id=8
    )
    reply = forum.good("POST", f"comments/{answer['id']}", body="Do they?", course_id=COURSE, user_id=7)
    forum.good("PUT", f"comments/{answer['id']}", endorsed=True, endorsement_user_id=7)
    forum.good("PUT", f"threads/{thread}/votes", user_id=8, value="up")
    forum.good("PUT", f"comments/{answer['id']}/votes", user_id=7, value="down")
    forum.good("PUT", f"threads/{thread}/abuse_flag", user_id=8)
    forum.good("PUT", f"threads/{thread}/abuse_unflag", user_id=8)
    forum.good("PUT", f"threads/{thread}/pin", user_id=7)
    forum.good("POST", "users/8/subscriptions", source_type="thread", source_id=thread)
    followed = forum.good("GET", "users/8/subscribed_threads", course_id=COURSE, user_id=8, page=1)
    assert [each["id"] for each in followed["collection"]] == [thread]

    made = forum.good(
        "GET", f"threads/{thread}", recursive=True, with_responses=True, user_id=7, mark_as_read=True
    )
    assert (made["comments_count"], made["pinned"], made["votes"]["up_count"]) == (2, True, 1)
    assert made["children"][0]["body"] == "They confuse flies."
    assert made["children"][0]["endorsed"] is True
    assert made["children"][0]["children"][0]["id"] == reply["id"]

    forum.good("DELETE", f"threads/{thread}/votes", user_id=8)
    forum.good("DELETE", "users/8/subscriptions", source_type="thread", source_id=thread)
    counts = forum.good("GET", f"commentables/{COURSE}/counts")
    assert counts["zoo"] == {"discussion": 1, "question": 0}
    stats = forum.good("GET", f"users/{COURSE}/stats", page=1, per_page=10)
    assert {each["username"] for each in stats["user_stats"]} >= {"ann", "ben"}
    active = forum.good("GET", "users/7/active_threads", course_id=COURSE, user_id=7, flagged=False)
    assert thread in {each["id"] for each in active["collection"]}

    forum.good("DELETE", f"comments/{reply['id']}")
    forum.good("DELETE", f"threads/{thread}")
    assert forum.call("GET", f"/api/v1/threads/{thread}").status == 400
    until("the search to forget it", lambda: thread not in forum.ids_matching("zebras"), limit=10)


def test_threads_by_topic_and_filter(forum: Forum) -> None:
    mine = forum.post("Elephants remember")
    other = forum.good(
        "POST", "ponds/threads", title="Frogs", body="Green.", course_id=COURSE, user_id=8, group_id=3
    )["id"]

    def listed(path: str, **more: object) -> set[str]:
        thread_page = forum.good("GET", path, course_id=COURSE, user_id=7, page=1, per_page=50, **more)
        return {each["id"] for each in thread_page["collection"]}

    assert {mine, other} <= listed("threads", flagged=False, unread=False)
    assert listed("ponds/threads") == {other}
    assert listed("threads", commentable_ids="ponds,nowhere") == {other}
    assert mine not in listed("threads", flagged=True)
    assert other not in listed("threads", group_ids="4,5")
    assert mine in listed("threads", sort_key="votes", author_id=7)


def test_a_post_is_found_once_it_is_indexed(forum: Forum) -> None:
    thread = forum.post("About giraffes", "Their neck is long.")
    forum.good("POST", f"threads/{thread}/comments", body="Six metres!", course_id=COURSE, user_id=8)
    until("the title to be found", lambda: thread in forum.ids_matching("giraffes"), limit=10)
    until("its answer to be found", lambda: thread in forum.ids_matching("metres"), limit=10)
    forum.good("PUT", f"threads/{thread}", title="About okapis", body="Shorter.", course_id=COURSE, user_id=7)
    until("the new title to be found", lambda: thread in forum.ids_matching("okapis"), limit=10)


@pytest.mark.parametrize(
    ("method", "path", "fields", "status"),
    [
        ("GET", "threads/nonsense", {}, 400),
        ("GET", "threads/0123456789abcdef01234567", {}, 400),
        ("GET", "threads", {}, 400),
        ("GET", "users/nobody", {}, 404),
        ("GET", "search/threads", {"course_id": COURSE}, 400),
        ("POST", "zoo/threads", {"title": "no more"}, 400),
        ("POST", "zoo/threads", {"title": "a", "body": "b", "anonymous": "maybe"}, 400),
        ("PUT", "threads/0123456789abcdef01234567/votes", {"user_id": "7", "value": "up"}, 400),
        ("GET", "nothing/at/all", {}, 404),
    ],
)
def test_wrong_calls_are_the_callers(
    forum: Forum, method: str, path: str, fields: dict[str, str], status: int
) -> None:
    assert forum.call(method, f"/api/v1/{path}", **fields).status == status


def test_a_post_beyond_all_measure_is_refused(forum: Forum) -> None:
    # The answer may come before all was sent, and the connection be closed by then.
    with suppress(OSError):
        assert forum.call("POST", "/api/v1/zoo/threads", title="a", body="b" * 2**21).status == 400


def test_without_elasticsearch_posts_are_kept_and_found_afterwards(forum: Forum) -> None:
    gone = forum.post("Dodos are gone")
    until("it to be found", lambda: gone in forum.ids_matching("dodos"), limit=10)
    forum.search.kill()
    until("it to be noticed", lambda: forum.heartbeat() == (503, False, {"db": True, "es": False}), limit=30)
    late = [forum.post(f"Tapir number {number}") for number in range(5)]
    forum.good("DELETE", f"threads/{gone}")
    assert forum.call("GET", "/api/v1/search/threads", text="tapir", course_id=COURSE).status == 503
    forum.search.start()
    until("all to be found", lambda: set(late) <= forum.ids_matching("tapir"), limit=90)
    assert gone not in forum.ids_matching("dodos")
    assert forum.heartbeat() == (200, True, {"db": True, "es": True})


# What the indexer and a request do when a post is written once more while its older content is brought to the index.
TWICE = """
from service import unindexed
unindexed.note("trial", "1")
older = unindexed.notes().find_one({"_id": "trial/1"})
unindexed.note("trial", "1")
unindexed.delete_note(older)
newer = unindexed.notes().find_one({"_id": "trial/1"})
print(newer is not None)
unindexed.delete_note(newer)
print(unindexed.notes().find_one({"_id": "trial/1"}))
"""


def test_a_note_outlasts_the_indexing_of_an_older_content(forum: Forum) -> None:
    django = "import django; django.setup()"
    code, output = forum.box.exec("python3", "-c", f"{django}\n{TWICE}")
    assert (code, output.split()) == (0, ["True", "None"]), output


def test_without_mongo_nothing_is_acknowledged_and_nothing_lost(forum: Forum) -> None:
    kept = forum.post("Pandas eat bamboo")
    forum.mongo.kill()
    until("it to be noticed", lambda: forum.heartbeat()[2]["db"] is False, limit=30)
    assert (
        forum.call("POST", "/api/v1/zoo/threads", title="x", body="y", course_id=COURSE, user_id=7).status
        == 503
    )
    forum.mongo.start()
    until("mongo to be taken up", lambda: forum.heartbeat()[0] == 200, limit=60)
    assert forum.good("GET", f"threads/{kept}")["title"] == "Pandas eat bamboo"
    forum.post("And sleep")


def test_a_frozen_store_holds_nobody_up_for_long(forum: Forum) -> None:
    forum.search.client.pause(forum.search.name)
    try:
        # The first finds out, within the client's 3 seconds; the rest no longer ask.
        with ThreadPoolExecutor(4) as threads:
            posted = list(threads.map(forum.post, [f"Sloth number {number}" for number in range(8)]))
        assert forum.heartbeat()[0] == 503
    finally:
        forum.search.client.unpause(forum.search.name)
    until("all to be found", lambda: set(posted) <= forum.ids_matching("sloth"), limit=90)


def test_what_was_acknowledged_survives_a_kill_at_any_moment(forum: Forum) -> None:
    acknowledged: list[str] = []
    word = f"capybara{random.randrange(10**6)}"
    for _ in range(KILLS):
        with ThreadPoolExecutor(1) as threads:
            writing = threads.submit(write, forum, word, acknowledged)
            count = len(acknowledged) + random.randrange(2, 12)
            until("some posts", lambda count=count: len(acknowledged) >= count, limit=30)  # type: ignore[misc]
            forum.box.kill()
            writing.result()
        forum.box.start().wait_ready()
    assert {forum.good("GET", f"threads/{each}")["id"] for each in acknowledged} == set(acknowledged)
    until("all to be found", lambda: set(acknowledged) <= forum.ids_matching(word), limit=60)


def write(forum: Forum, word: str, acknowledged: list[str]) -> None:
    """One thread after the other, until the forum is gone."""
    for number in count():
        try:
            acknowledged.append(forum.post(f"{word} {number}"))
        except (OSError, http.client.HTTPException):
            return


def test_an_index_that_is_lost_is_made_anew(forum: Forum) -> None:
    thread = forum.post("Narwhals have one tooth")
    until("it to be found", lambda: thread in forum.ids_matching("narwhals"), limit=10)
    remove_indices(forum)
    until("a new index", lambda: thread in forum.ids_matching("narwhals"), limit=60)


def remove_indices(forum: Forum) -> None:
    for name in json_of(forum, "GET", "/comment*"):
        json_of(forum, "DELETE", f"/{name}")


def json_of(forum: Forum, method: str, path: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection(forum.search.address, 9200, timeout=20)
    try:
        login = base64.b64encode(f"elastic:{SEARCH['search-password']}".encode()).decode()
        connection.request(method, path, headers={"Authorization": f"Basic {login}"})
        answer = connection.getresponse()
        document: dict[str, Any] = json.loads(answer.read())
        assert answer.status == 200, document
        return document
    finally:
        connection.close()


def test_the_index_can_be_made_by_hand(client: docker.APIClient, forum: Forum) -> None:
    thread = forum.post("Wombats dig")
    code, output = forum.box.exec("/usr/local/bin/entry", "rebuild-index")
    assert code == 0, output
    until("it to be found", lambda: thread in forum.ids_matching("wombats"), limit=10)
    job = service(client, "rebuild-index", name="c-forum-job").create().start()
    assert job.wait_end() == 0, job.logs()
    job.remove()
    assert thread in forum.ids_matching("wombats")


def test_sigterm_lets_a_request_end(forum: Forum) -> None:
    with ThreadPoolExecutor(1) as threads:
        begun = threads.submit(forum.post, "The last one")
        thread = begun.result()
        code, seconds = forum.box.stop()
    assert code == 0, forum.box.logs()[-2000:]
    assert seconds < 25
    forum.box.start().wait_ready()
    assert forum.good("GET", f"threads/{thread}")["title"] == "The last one"


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (None, "the secret /run/secrets/forum-api-key cannot be read: No such file or directory"),
        ("", "the secret /run/secrets/forum-api-key is empty"),
    ],
)
def test_without_its_key_it_ends_at_once(client: docker.APIClient, key: str | None, reason: str) -> None:
    box = service(client, key=key, name="c-forum-keyless").create().start()
    assert box.wait_end() == 1
    assert box.logs() == f"forum: {reason}\n"
    box.remove()


def test_an_unknown_verb_is_told(client: docker.APIClient) -> None:
    box = service(client, "dance", name="c-forum-verb").create().start()
    assert box.wait_end() == 64
    assert "known are: rebuild-index" in box.logs()
    box.remove()
