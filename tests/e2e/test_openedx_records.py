"""openedx-standin against what the real edx-platform answered: the same requests, one after the other, on real stores."""

import base64
import hashlib
import hmac
import http.client
import json
import re
import time
from collections.abc import Callable, Iterator
from email import message_from_string
from email.policy import default
from functools import partial
from typing import Any

import pytest
import yaml

from testbed.standin_bench import PORTS, Bench, Browser, settings, until
from tests.e2e import migrated_bench
from tests.records import answers, differences
from tests.records.differences import Difference
from tests.records.record import FOLDER, records
from tests.records.replay import Replay
from tests.records.world import FORUM_CALLS, PASSWORD, SECRET, SEED

pytestmark = pytest.mark.e2e

JOB = ("lms-migrate", "cms-migrate", "create-admin")


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """The lms and its workers, with the users and courses of the records; what the lms asks the forum is noted."""
    with migrated_bench.running(*JOB) as bench:
        bench.start_store("forum")
        bench.start_program("forum-calls", FORUM_CALLS)
        noted = settings("lms") | {"COMMENTS_SERVICE_URL": "http://forum-calls:4567"}
        bench.start("lms", files={"/openedx/config/lms.env.json": json.dumps(noted, indent=2)})
        bench.start_ready("lms-workers")
        for name in ("forum", "lms"):
            until(f"{name} to be ready", partial(bench.is_ready, name))
        code, log = bench.exec_in("lms", "python3", "-c", SEED, env={"SERVICE_VARIANT": "lms"})
        assert code == 0, log
        yield bench


def calls_since(bench: Bench) -> Callable[[], list[str]]:
    """A function that gives the calls to the forum since it was last asked."""
    line_count = 0

    def calls() -> list[str]:
        nonlocal line_count
        lines = bench.logs("forum-calls").splitlines()
        new, line_count = lines[line_count:], len(lines)
        return [answers.forum_call(**json.loads(each)) for each in new]

    return calls


@pytest.fixture(scope="module")
def differing(bench: Bench) -> list[Difference]:
    """Every place of every answer, and of the mails, that is not as it was recorded."""
    replay = Replay(
        address=(bench.address("lms"), PORTS["lms"]),
        host="lms.bench.test:8480",
        password=PASSWORD,
        secret=SECRET,
        calls=calls_since(bench),
    )
    differences_found = [
        Difference(record=record.name, at=at, real=real, other=other)
        for record in records()
        for at, real, other in answers.differences(record.answer, replay.answer(record))
    ]
    recorded = yaml.safe_load((FOLDER / "mails.yml").read_text(encoding="utf-8"))
    sent = {address: mails_of(bench, address, len(wanted)) for address, wanted in recorded.items()}
    mailed = [
        Difference(record="mails", at=at, real=real, other=other)
        for at, real, other in answers.differences(recorded, sent)
    ]
    return [*differences_found, *mailed]


def mails_of(bench: Bench, address: str, count: int) -> list[dict[str, Any]]:
    """The mails to an address as mails.yml has them, once there are as many as wanted; the same mail twice counts once."""
    until(f"{count} mails to {address}", lambda: len(bench.mails(address)) >= count)
    made: list[dict[str, Any]] = []
    for text in bench.mails(address):
        mail = message_from_string(text, policy=default)
        parts = [part for part in mail.walk() if not part.is_multipart()]
        [link, *_] = re.findall(r"https?://[^/\s]+(/[a-z_]+)/\S+", parts[0].get_content())
        kinds = " ".join(part.get_content_type() for part in parts)
        mail_facts = {"subject": str(mail["Subject"]), "leads_to": f"{link}/(key)", "kinds": kinds}
        if mail_facts not in made:
            made.append(mail_facts)
    return made


def test_every_answer_is_as_recorded_or_in_the_table(differing: list[Difference]) -> None:
    assert "\n".join(differences.unexplained(differing, differences.table())) == ""


def test_the_table_has_no_difference_that_is_gone(differing: list[Difference]) -> None:
    assert "\n".join(differences.gone(differing, differences.table())) == ""


def test_most_answers_are_the_same(differing: list[Difference]) -> None:
    """Those that differ nowhere, as docs/standin.md counts them."""
    names = {record.name for record in records()}
    assert len(names - {each.record for each in differing}) == differences.alike()


# What opens nothing


def sent(bench: Bench, method: str, path: str, body: str = "", **headers: str) -> int:
    """The status of a request to the lms."""
    connection = http.client.HTTPConnection(bench.address("lms"), PORTS["lms"], timeout=30)
    try:
        all_headers = {"Host": "lms.bench.test:8480", "Content-Type": "application/json", **headers}
        connection.request(method, path, body.encode(), all_headers)
        return connection.getresponse().status
    finally:
        connection.close()


def forged(claims: dict[str, Any], *, alg: str, key: bytes) -> str:
    """A JWT that is signed with a key of somebody else's, or not at all."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": alg, "typ": "JWT"}, claims)
    ]
    signature = hmac.new(key, b".".join(parts), hashlib.sha256).digest() if key else b""
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def test_a_token_that_is_not_ours_or_no_longer_good_opens_nothing(
    bench: Bench, differing: list[Difference]
) -> None:
    now = int(time.time())
    claims = {
        "aud": "openedx",
        "iss": "http://lms.bench.test:8480/oauth2",
        "preferred_username": "admin",
        "exp": now + 600,
        "iat": now,
    }
    for alg, key in (("none", b""), ("HS256", b"guess"), ("HS256", b"")):
        token = forged(claims, alg=alg, key=key)
        assert sent(bench, "GET", "/api/user/v1/me", Authorization=f"JWT {token}") == 401
    ours = made(bench, "service")
    assert sent(bench, "GET", "/api/user/v1/me", Authorization=f"JWT {ours}") == 200
    # Neither for another purpose, nor with a byte changed, nor of an account that was closed.
    assert sent(bench, "GET", "/api/user/v1/me", Authorization=f"Bearer {ours}") == 401
    head, body, signature = ours.split(".")
    assert sent(bench, "GET", "/api/user/v1/me", Authorization=f"JWT {head}.{body[:-2]}AA.{signature}") == 401
    assert sent(bench, "GET", "/api/user/v1/me", Authorization=f"JWT {made(bench, 'idle')}") == 401
    assert sent(bench, "GET", "/api/user/v1/me", Authorization=f"JWT {made(bench, 'service', -7200)}") == 401


def made(bench: Bench, name: str, seconds: int = 0) -> str:
    """A JWT that the lms itself makes for a user, as if so many seconds from now."""
    program = f"""
import os, time, django
os.environ["DJANGO_SETTINGS_MODULE"] = "standin.settings"
django.setup()
from accounts.models import User
from api import jwt
now = time.time()
jwt.time.time = lambda: now + {seconds}
print(jwt.make(User.objects.get(username={name!r}), ["profile"], "client-credentials"))
"""
    code, output = bench.exec_in("lms", "python3", "-c", program, env={"SERVICE_VARIANT": "lms"})
    assert code == 0, output
    return output.strip().splitlines()[-1]


def test_a_session_alone_changes_nothing(bench: Bench, differing: list[Difference]) -> None:
    """Whose page sends a request in a logged-in browser does not have the token against it."""
    browser = Browser(bench, "lms")
    browser.submit("/login", username="learner", password=PASSWORD)
    cookies = "; ".join(f"{each.name}={each.value}" for each in browser.cookies)
    assert sent(bench, "GET", "/api/user/v1/me", Cookie=cookies) == 200
    payload = json.dumps({"course_details": {"course_id": "course-v1:Acme+T1+R1"}, "is_active": False})
    assert sent(bench, "POST", "/api/enrollment/v1/enrollment", payload, Cookie=cookies) == 403
    merge = {"Content-Type": "application/merge-patch+json"}
    path = "/api/user/v1/accounts/learner"
    assert sent(bench, "PATCH", path, '{"name": "x"}', Cookie=cookies, **merge) == 403


def test_what_is_no_request_is_refused(bench: Bench, differing: list[Difference]) -> None:
    token = f"JWT {made(bench, 'service')}"
    path = "/api/enrollment/v1/enrollment"
    for sent_line in (
        "",
        "[]",
        "{",
        "[" * 50_000,
        '"x"',
        '{"course_details": []}',
        '{"course_details": {"course_id": {}}}',
    ):
        assert sent(bench, "POST", path, sent_line, Authorization=token) == 400, sent_line[:20]
    # Refused by its head: whoever still sends the body finds the connection closed.
    assert sent(bench, "POST", path, Authorization=token, **{"Content-Length": "300000"}) == 413
    deep = json.dumps({"user": ["learner"], "course_details": {"course_id": "course-v1:Acme+T1+R1"}})
    assert sent(bench, "POST", path, deep, Authorization=token) == 404
    for query in ("page=0", "page=-1", "page=%C2%B2", "page_size=99999999999&page=2", "page=" + "9" * 3000):
        assert sent(bench, "GET", f"/api/courses/v1/courses/?{query}", Authorization=token) == 404, query[:40]
    for cursor in ("%00", "cD0tMQ==", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "====", "cD3Csg=="):
        status = sent(bench, "GET", f"/api/enrollment/v1/enrollments?cursor={cursor}", Authorization=token)
        assert status in (200, 404), cursor
    for path in ("accounts?lms_user_id=" + "9" * 40, "accounts?lms_user_id=%C2%B2", "accounts?username=%00"):
        assert sent(bench, "GET", f"/api/user/v1/{path}", Authorization=token) in (200, 404), path
