"""docs/onboarding.md and its examples: what they show is typed, and they do what they say (on a real engine: e2e)."""

import json
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from automation.errors import PortalError
from automation.fleet import outcome
from automation.fleet.outcome import Outcome
from automation.portals.onboarding_request import OnboardingRequest
from docs.examples import onboard, sales_endpoint
from docs.examples.sales_endpoint import Failed, Orders, Say
from testbed.waiting import until

ROOT = Path(__file__).parents[3]
TOKEN = "a-token-of-more-than-twenty-characters"
OAK = {"lms": "oak.example.com", "title": "Oak"}


def blocks() -> list[str]:
    """The Python of docs/onboarding.md, in its order: one goes on where the one before has ended."""
    text = (ROOT / "docs" / "onboarding.md").read_text()
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_page_are_typed(tmp_path: Path) -> None:
    """Against the library's own types, as an editor would say."""
    examples = blocks()
    assert len(examples) >= 5
    page = tmp_path / "page.py"
    page.write_text("\n".join(examples))
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(page)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_one_client_that_fails_keeps_no_other_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def onboard_or_fail(request: OnboardingRequest) -> dict[str, Any]:
        if request.name == "elm":
            raise PortalError("no room")
        return {
            "tenant": request.name,
            "addresses": {"lms": f"http://{request.lms}"},
            "log_in_link": "http://x",
            "steps": {"portal": 1.0},
            "seconds": 1.0,
            "admin": {},
        }

    def some(
        verb: str, requests: list[OnboardingRequest], *, say: Say, on_outcome: Callable[[Outcome], None]
    ) -> list[Outcome]:
        assert verb == "onboard"
        ended = [outcome.outcome_of(each.name, partial(onboard_or_fail, each)) for each in requests]
        for each in ended:
            say(f"{each.tenant}: coming")
            on_outcome(each)
        return ended

    monkeypatch.setattr(onboard, "for_each_tenant", some)
    clients = tmp_path / "clients.csv"
    clients.write_text(
        "name,lms,title\noak,oak.example.com,Oak\nelm,elm.example.com,Elm\nash,ash.example.com,Ash\n"
    )
    assert onboard.main([str(clients)]) == 1
    captured = capsys.readouterr()
    assert [json.loads(line)["tenant"] for line in captured.out.splitlines()] == ["oak", "ash"]
    assert "elm: failed: no room" in captured.err
    assert onboard.main([]) == 2
    clients.write_text("name,host\noak,oak.example.com\n")
    assert onboard.main([str(clients)]) == 2
    assert "expected the columns name and lms" in capsys.readouterr().err


class Onboardings:
    """In the place of `./portal new`: each waits until it may go on."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_end = threading.Event()
        self.fail = False

    def __call__(self, name: str, options: Mapping[str, str], say: Say) -> Mapping[str, Any]:
        self.begun.append(name)
        say("tenant file: 0.1 s")
        assert self.may_end.wait(30)
        if self.fail:
            raise Failed("the engine has no room")
        return {"addresses": {"lms": f"http://{options['lms']}"}, "log_in_link": "http://x/once", "steps": {}}


@contextmanager
def serving(orders: Orders) -> Iterator[str]:
    """The endpoint's address, for as long as the block."""
    server = sales_endpoint.server(orders, TOKEN)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        orders.pool.shutdown()


def ask(url: str, body: object = None, token: str = TOKEN) -> tuple[int, dict[str, Any]]:
    """GET, or PUT where there is something to say."""
    request = urllib.request.Request(
        url,
        data=None if body is None else json.dumps(body).encode(),
        method="GET" if body is None else "PUT",
        headers={"Authorization": f"Bearer {token}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_an_order_is_begun_once_and_told_as_it_goes_on() -> None:
    fake = Onboardings()
    with serving(Orders(fake)) as base:
        oak = f"{base}/portals/oak"
        assert ask(oak)[0] == 404
        assert ask(oak, OAK)[0] == 202
        assert ask(oak, OAK)[0] == 202
        order = until("its progress", lambda: (reply := ask(oak)[1])["progress"] and reply)
        assert (order["state"], order["progress"]) == ("running", ["tenant file: 0.1 s"])
        assert ask(oak, {**OAK, "title": "Elm"})[0] == 409
        fake.may_end.set()
        done = until("its end", lambda: (reply := ask(oak)[1])["state"] == "done" and reply)
        assert done["log_in_link"] == "http://x/once"
        assert ask(oak, OAK)[0] == 200
    assert fake.begun == ["oak"]


def test_an_order_that_failed_says_why_and_goes_on_when_asked_again() -> None:
    fake = Onboardings()
    fake.fail = True
    fake.may_end.set()
    with serving(Orders(fake)) as base:
        oak = f"{base}/portals/oak"
        ask(oak, OAK)
        failed = until("its end", lambda: (reply := ask(oak)[1])["state"] == "failed" and reply)
        assert failed["error"] == "the engine has no room"
        fake.fail = False
        assert ask(oak, OAK)[0] == 202
        until("its end", lambda: ask(oak)[1]["state"] == "done")
    assert fake.begun == ["oak", "oak"]


@pytest.mark.parametrize(
    ("path", "body", "token", "status"),
    [
        ("/portals/oak", None, "", 401),
        ("/portals/oak", OAK, f"{TOKEN}x", 401),
        ("/", None, "", 401),
        ("/portals/../oak", None, TOKEN, 404),
        ("/portals/Oak", OAK, TOKEN, 404),
        ("/portals/oak", {"title": "Oak"}, TOKEN, 400),
        ("/portals/oak", ["oak"], TOKEN, 400),
        ("/portals/oak", {**OAK, "root": "/etc"}, TOKEN, 400),
        ("/portals/oak", {**OAK, "title": 1}, TOKEN, 400),
        ("/portals/oak", {"lms": "x" * 20_000}, TOKEN, 400),
    ],
)
def test_what_is_no_order_begins_nothing(path: str, body: object, token: str, status: int) -> None:
    fake = Onboardings()
    with serving(Orders(fake)) as base:
        assert ask(base + path, body, token)[0] == status
    assert fake.begun == []


def test_a_token_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="fewer than 20"):
        sales_endpoint.server(Orders(Onboardings()), "secret")
