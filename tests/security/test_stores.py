"""Data stores answer whoever knows their password, and nobody else: attacks on mongo's stand-in and on the search."""

import base64
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.e2e.image_engine import engine_with_images
from tests.e2e.image_trial import KINDS, ImageContainer, fresh_secrets, store

pytestmark = pytest.mark.e2e

USER = "elastic"
# Routes of each kind: to read, to write, to look at the server, to run something on it, to turn its settings.
ROUTES = (
    ("GET", "/"),
    ("HEAD", "/"),
    ("GET", "/_search"),
    ("POST", "/courses/_search"),
    ("POST", "/_msearch"),
    ("GET", "/courses/_doc/1"),
    ("PUT", "/courses/_doc/1"),
    ("DELETE", "/courses"),
    ("DELETE", "/courses/_doc/1"),
    ("POST", "/_bulk"),
    ("PUT", "/fresh"),
    ("POST", "/courses/_update/1"),
    ("POST", "/courses/_delete_by_query"),
    ("POST", "/_reindex"),
    ("POST", "/_aliases"),
    ("PUT", "/_index_template/x"),
    ("GET", "/_cat"),
    ("GET", "/_cat/indices"),
    ("GET", "/_mapping"),
    ("GET", "/_cluster/health"),
    ("GET", "/_cluster/state"),
    ("PUT", "/_cluster/settings"),
    ("GET", "/_nodes"),
    ("GET", "/_nodes/hot_threads"),
    ("GET", "/_nodes/stats"),
    ("GET", "/_tasks"),
    ("PUT", "/_snapshot/x"),
    ("PUT", "/_scripts/x"),
    ("POST", "/_scripts/painless/_execute"),
    ("PUT", "/_ingest/pipeline/x"),
    ("GET", "/_cat/indices?pretty&format=json"),
)


@pytest.fixture(scope="module")
def client() -> Iterator[docker.APIClient]:
    """The engine with the images, and nothing of an earlier run."""
    with engine_with_images(["mongo", "elasticsearch", "openedx-standin"]) as made:
        yield made


def started(client: docker.APIClient, role: str, folder: Path) -> tuple[ImageContainer, str]:
    """A store on an empty directory, and its password."""
    kind = KINDS[role]
    secrets = fresh_secrets(kind)
    folder.chmod(0o777)
    box = store(client, kind, folder, secrets).create().start()
    box.wait_ready()
    return box, secrets[kind.password]


@pytest.fixture(scope="module")
def search(
    client: docker.APIClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ImageContainer, str]]:
    box, password = started(client, "elasticsearch", tmp_path_factory.mktemp("search"))
    yield box, password
    box.remove()


def test_mongo_lets_nobody_in_who_has_not_proved_to_know_the_password(
    client: docker.APIClient, tmp_path: Path
) -> None:
    box, password = started(client, "mongo", tmp_path)
    script = Path(__file__).with_name("mongo_attacks.py").read_text()
    attacker = ImageContainer(
        client=client,
        name="c-attacker",
        role="openedx-standin",
        memory=128,
        entrypoint=("sleep", "infinity"),
        files={"/portal/attacks.py": script},
    )
    attacker.create().start()
    try:
        code, output = attacker.exec("python3", "/portal/attacks.py", box.address, env={"PASSWORD": password})
        assert code == 0, output
        attacks: dict[str, Any] = json.loads(output.splitlines()[-1])
    finally:
        attacker.remove()
    assert len(attacks["attacks"]) > 200
    assert {name: end for name, end in attacks["attacks"].items() if end == "allowed"} == {}
    assert set(attacks["attacks"].values()) == {
        "Unauthorized",
        "AuthenticationFailed",
        "MechanismUnavailable",
        "closed",
    }
    strangers = attacks["rights"].pop("databases that strangers made")
    assert strangers == []
    assert set(attacks["rights"].values()) == {"allowed"}
    # None of it has harmed the server, or is worth a line that an attacker could fill a disk with.
    assert box.ready()
    assert password not in box.logs()
    assert len(box.logs().splitlines()) < 5
    box.remove()


def ask_search(box: ImageContainer, method: str, path: str, *logins: str) -> tuple[int, str]:
    """Status and text of the search's answer, with as many Authorization headers as logins."""
    connection = http.client.HTTPConnection(box.address, 9200, timeout=20)
    try:
        connection.putrequest(method, path)
        for each in logins:
            connection.putheader("Authorization", each)
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", "2")
        connection.endheaders(b"{}")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def test_search_answers_no_route_without_its_password(search: tuple[ImageContainer, str]) -> None:
    box, password = search
    right, wrong = basic(USER, password), basic(USER, "x" * len(password))
    for method, path in ROUTES:
        for logins in ((), (wrong,)):
            assert ask_search(box, method, path, *logins)[0] == 401, (method, path, logins)
    # Nothing of it was done, and with the password the same routes are there.
    status, names = ask_search(box, "GET", "/_cat/indices?h=index", right)
    assert (status, names) == (200, "")
    assert ask_search(box, "GET", "/_nodes/hot_threads", right)[0] == 200
    assert ask_search(box, "PUT", "/fresh", right)[0] == 200
    assert ask_search(box, "GET", "/fresh/_mapping", right)[0] == 200
    assert ask_search(box, "GET", "/fresh/_mapping", wrong)[0] == 401


def test_search_takes_one_login_and_only_the_right_one(search: tuple[ImageContainer, str]) -> None:
    box, password = search
    right = basic(USER, password)
    code = right.removeprefix("Basic ")
    for logins in (
        ("",),
        ("Basic",),
        ("Basic ",),
        (basic(USER, ""),),
        (basic("", password),),
        (basic("admin", password),),
        (basic(USER, password + " "),),
        (basic(USER, password[:-1]),),
        (basic(USER, password.upper()),),
        (f"Bearer {code}",),
        (f"ApiKey {code}",),
        (f"Basic {code}, Basic {code}",),
        (right, right),
        (basic(USER, "x"), right),
        (right, basic(USER, "x")),
        (f"Basic {USER}:{password}",),
        (password,),
    ):
        assert ask_search(box, "GET", "/", *logins)[0] == 401, logins
    assert ask_search(box, "GET", "/", right)[0] == 200


def test_search_asks_at_every_request_of_a_connection(search: tuple[ImageContainer, str]) -> None:
    box, password = search
    connection = http.client.HTTPConnection(box.address, 9200, timeout=20)
    statuses = []
    for headers in ({"Authorization": basic(USER, password)}, {}, {"Authorization": basic(USER, password)}):
        connection.request("GET", "/_cluster/health", headers=headers)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()
    assert statuses == [200, 401, 200]


def test_search_has_no_other_door(search: tuple[ImageContainer, str]) -> None:
    box, _ = search
    with socket.create_connection((box.address, 9200), timeout=5):
        pass
    # Where nodes talk to each other, without a password: to itself alone.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((box.address, 9300), timeout=5)
    code, _ = box.exec("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9300")
    assert code == 0


def test_search_says_to_strangers_which_routes_there_are_and_nothing_of_what_it_holds(
    search: tuple[ImageContainer, str],
) -> None:
    """OPTIONS and paths that are no route end before the password is asked for: with the same words for every index."""
    box, password = search
    assert ask_search(box, "PUT", "/there", basic(USER, password))[0] == 200
    for below in ("", "/_search", "/_doc/1", "/_mapping"):
        assert (
            ask_search(box, "OPTIONS", f"/there{below}")
            == ask_search(box, "OPTIONS", f"/absent{below}")
            == (200, "")
        )
    there, absent = (ask_search(box, "GET", f"/_cat/no-route/{each}") for each in ("there", "absent"))
    assert there[0] == absent[0] == 400
    assert there[1].replace("there", "") == absent[1].replace("absent", "")
