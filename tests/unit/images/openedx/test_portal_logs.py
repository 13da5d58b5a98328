"""What the logs of the real Open edX have of a request: what it asked for, and nothing that came with it."""

import json
import logging
import sys
import time
from types import ModuleType
from typing import Any

import pytest

from tests.programs import ROOT
from tests.standalone import load

HERE = ROOT / "images" / "openedx" / "portal_settings" / "logs.py"
# No line has this in it.
SECRET = "s3cr3t"


@pytest.fixture(scope="module")
def logs() -> ModuleType:
    return load(HERE)


def logged(logs: ModuleType, message: str, *args: object, error: Any = None) -> str:
    """The line that a handler writes."""
    record = logging.LogRecord("x", logging.INFO, "f", 1, message, args, error)
    assert logs.Masked().filter(record) is True
    return logging.Formatter("%(message)s").format(record)


def tracked(path: str, posted: dict[str, Any], referer: str = "", cut: int = 512) -> str:
    """As edx-platform writes a request: what was posted is JSON inside the JSON, and cut."""
    event = json.dumps({"GET": {}, "POST": posted})[:cut]
    return json.dumps({"name": path, "context": {"path": path, "referer": referer}, "event": event})


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Not Found: /password_reset_confirm/1-s3cr3t/?a=b", "Not Found: /password_reset_confirm/(masked)"),
        ("Not Found: /password/reset/1-s3cr3t/", "Not Found: /password/reset/(masked)"),
        ("'/activate_secondary_email/s3cr3t' failed", "'/activate_secondary_email/(masked)' failed"),
        ("GET /email/optout/s3cr3t==/c/ 200", "GET /email/optout/(masked) 200"),
        ("next=%2Fpassword%2Freset%2F1-s3cr3t%2F&a=1", "next=%2Fpassword%2Freset/(masked)"),
        ("GET /register?next=s3cr3t HTTP/1.1", "GET /register?(masked) HTTP/1.1"),
        ("referer 'https://a.b/c?d=s3cr3t'", "referer 'https://a.b/c?(masked)'"),
        ("client_secret=s3cr3t&grant_type=password&code=s3cr3t", "client_secret=(masked)&grant_type=password&code=(masked)"),
        ("password=p\\u00e9s3cr3t&a=1", "password=(masked)&a=1"),
        ("email=s3cr3t%40b.c&course_id=x", "email=(masked)&course_id=x"),
        ('{"token": "s3cr3t", "a": "b"}', '{"token": "(masked)", "a": "b"}'),
        ('{"token":"a\\"s3cr3t","a":1}', '{"token": "(masked)", "a": 1}'),
        ('{"token": "a\\\\", "a": "b"}', '{"token": "(masked)", "a": "b"}'),
        ('{"code": 5133, "a": 1}', '{"code": "(masked)", "a": 1}'),
        ('{"code": ["s3cr3t", "x]s3cr3t"], "a": [1]}', '{"code": "(masked)", "a": [1]}'),
        ('{"access_token": {"a": ["s3cr3t"]}, "a": 1}', '{"access_token": "(masked)", "a": 1}'),
        ('{"a": "token=", "b": 1}', '{"a": "token=", "b": 1}'),
        ('{"a": "token=\'s3cr3t", "b": 1}', '{"a": "token=(masked)", "b": 1}'),
        ('{"a": "{\'code\': [\'s3cr3t\', \'s3cr3t", "b": 1}', '{"a": "{\'code\': (masked)", "b": 1}'),
        ('{"token": "s3cr3t", "token": null}', '{"token": null}'),
        ('{"token": null, "email_opt_in": true}', '{"token": null, "email_opt_in": true}'),
        ("{'refresh_token': ['s3cr3t', 's3cr3t'], 'a': 1}", "{'refresh_token': (masked)"),
        ("{'password': \"it's s3cr3t\", 'a': 1}", "{'password': (masked)"),
        # Where such a value ends is not known: nothing after it stays.
        ("{'body': '{\"token\": \"a\\\\\\\\\"s3cr3t\"}'}", "{'body': '{\"token\": (masked)"),
        ("login(password='a s3cr3t', a=1)", "login(password=(masked)"),
        ("Authorization: Bearer s3cr3t, a: b", "Authorization: (masked) a: b"),
        ("Unknown user: s3cr3t@example.com.", "Unknown user: (masked)."),
        ('{"a": "m\\u00fc.s3cr3t@example.com"}', '{"a": "(masked)"}'),
        ('{"a": "new\\ns3cr3t@example.com"}', '{"a": "new\\n(masked)"}'),
    ],
)  # fmt: skip
def test_what_came_with_a_request_is_masked(logs: ModuleType, message: str, shown: str) -> None:
    assert logged(logs, message) == shown
    assert SECRET not in shown


@pytest.mark.parametrize(
    "message",
    [
        "Task lms.djangoapps.bulk_email[5a-1] succeeded in 0.5s: None",
        "asset-v1:edX+DemoX+2023+type@asset+block@picture.png",
        "block-v1:edX+DemoX+2023+type@problem+block@1a2b: 1 of 2",
        '{"name": "problem_check", "event": {"answers": {"a_2_1": "choice_0"}, "grade": 1, "status_code": 200}}',
        "worker celery@4f1c ready.",
        'a = "b\\"c" \\',
    ],
)
def test_what_learners_and_services_do_stays(logs: ModuleType, message: str) -> None:
    assert logged(logs, message) == message


POSTED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/oauth2/access_token", {"client_id": ["a"], "client_secret": [SECRET], "code": [SECRET]}),
    ("/api/user/v2/account/login_session/", {"email_or_username": [f"{SECRET}@example.com"]}),
    ("/api/user/v1/account/password_reset/token/validate/", {'{"token": "1-s3cr3t"}': [""]}),
    ("/password/reset/1-s3cr3t/", {"new_password1": 'a"s3cr3t', "code": {"a": '"]s3cr3t'}, "b": "c"}),
)


@pytest.mark.parametrize(("path", "posted"), POSTED, ids=[path for path, _ in POSTED])
def test_a_line_of_events_stays_json_wherever_its_event_was_cut(
    logs: ModuleType, path: str, posted: dict[str, Any]
) -> None:
    for cut in (512, *range(20, 100)):
        line = tracked(path, posted, f"https://a.b/c?d={SECRET}", cut)
        shown = logged(logs, line)
        assert SECRET not in shown
        assert json.loads(shown)["context"]["referer"] == "https://a.b/c?(masked)", cut


@pytest.mark.parametrize(("path", "posted"), POSTED, ids=[path for path, _ in POSTED])
def test_json_inside_json_stays_json(logs: ModuleType, path: str, posted: dict[str, Any]) -> None:
    logged_text = tracked(path, posted)
    line = json.loads(logged(logs, logged_text))
    assert json.loads(line["event"])["GET"] == {}
    again = json.loads(logged(logs, json.dumps({"payload": logged_text, "last": "word"})))
    assert SECRET not in str(again)
    assert json.loads(json.loads(again["payload"])["event"])["GET"] == {}
    assert again["last"] == "word"


def test_the_last_line_of_a_traceback_is_masked_and_programs_are_not(logs: ModuleType) -> None:
    try:
        token = SECRET
        raise ValueError(f"no such token={token}\n  email: {token}")
    except ValueError:
        shown = logged(logs, "failed", error=sys.exc_info())
    assert SECRET not in shown
    assert 'raise ValueError(f"no such token={token}' in shown
    assert "ValueError: no such token=(masked)" in shown


def test_values_that_do_not_fit_their_text_are_not_shown(logs: ModuleType) -> None:
    assert logged(logs, "%d tries of %s", SECRET) == "%d tries of %s"


@pytest.mark.parametrize(
    "part",
    [
        "[",
        '{"a":',
        "a",
        "\\",
        "token",
        "token=",
        '"',
        "a%40",
        "a\\",
        '"token":[',
        "?",
        "/activate",
        " ",
        "a@a.",
    ],
)
def test_a_long_line_takes_no_long_time(logs: ModuleType, part: str) -> None:
    """50 KB are what edx-platform lets into a line of events, of whatever a learner's browser sends."""
    began = time.process_time()
    logged(logs, part * (50_000 // len(part)))
    assert time.process_time() - began < 2
