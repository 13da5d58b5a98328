"""Slow clients at the load balancer: none of them keeps the portal from others, and who is slow and honest is served.

The application behind it has eight threads, as the lms has. Attackers are one container (one address), the others this
machine; everything is bounded in count and time.
"""

import http.client
import json
import socket
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import docker
import pytest

from config.portal.routes import Route, caddyfile, nginx_sites
from testbed.waiting import until
from tests.e2e.image_engine import engine_with_images
from tests.e2e.image_trial import ImageContainer

pytestmark = pytest.mark.e2e

PROGRAMS = (Path(__file__).parent / "load_balancer_programs.py").read_text()
WAYS = (
    Route(host="lms.test", service="application", port=8000, body_limit=4_000_000),
    Route(host="preview.lms.test", service="application", port=8000, body_limit=4_000_000),
    Route(host="cms.test", service="application", port=8000, body_limit=250_000_000),
    Route(host="gone.test", service="nobody", port=8000, body_limit=4_000_000),
)
MEMORY = 128
# As images/load-balancer/entry: of all connections a quarter for one client.
ALL = MEMORY * 14
ONE = ALL // 4
SECRET = "c0ffee-t0ken"


class LoadBalancer:
    """A load balancer before an application of eight threads."""

    def __init__(self, client: docker.APIClient) -> None:
        self.client = client
        self.box = self._box(with_nginx=True)

    def _box(self, *, with_nginx: bool) -> ImageContainer:
        files = {"/portal/config/Caddyfile": caddyfile(WAYS)}
        if with_nginx:
            files["/portal/config/sites.conf"] = nginx_sites(WAYS)
        return ImageContainer(
            client=self.client,
            name="c-load-balancer",
            role="load-balancer",
            user="60992",
            memory=MEMORY,
            files=files,
        )

    def start(self, *, with_nginx: bool = True) -> None:
        """Anew, over an application without any connection."""
        self.program("c-application", "application")
        self.box = self._box(with_nginx=with_nginx).create().start()
        self.box.wait_ready()
        until("a page", lambda: self.ask("/page")[0] == 200)

    def program(self, name: str, *words: str) -> ImageContainer:
        """One of load_balancer_programs.py, running."""
        box = ImageContainer(
            client=self.client,
            name=name,
            role="mail-sink",
            entrypoint=("python3", "/portal/programs.py"),
            command=words,
            files={"/portal/programs.py": PROGRAMS},
        )
        return box.create().start()

    def slow(
        self, kind: str, count: int, seconds: float, name: str = "c-slow", *, settle: bool = True
    ) -> ImageContainer:
        """So many slow connections from one container; all begun, and what they asked for done."""
        box = self.program(name, "slow", kind, "lms.test", str(count), str(seconds))
        until(f"{count} slow connections", lambda: "begun" in box.logs(), limit=60)
        # What they asked for is made, which is work as any other; what they do not take must not be.
        if settle:
            until("a page as quick as ever", self.is_quick, limit=20)
        return box

    def is_quick(self) -> bool:
        """Whether pages come as when nobody else is there."""
        failed, p95 = self.browse(5)
        return not failed and p95 < 0.5

    def printed_by(self, box: ImageContainer, key: str) -> int:
        """What a slow client printed."""
        lines = [json.loads(line) for line in box.logs().splitlines() if line.startswith("{")]
        return int(next(each[key] for each in lines if key in each))

    def connect(self) -> socket.socket:
        return socket.create_connection((self.box.address, 8080), timeout=20)

    def ask(
        self,
        path: str,
        host: str = "lms.test",
        method: str = "GET",
        body: bytes | None = None,
        limit: float = 5,
    ) -> tuple[int, bytes]:
        """Status and text; 0 where no answer comes."""
        connection = http.client.HTTPConnection(self.box.address, 8080, timeout=limit)
        try:
            connection.request(
                method, path, body=body, headers={"Host": host, "Referer": f"http://{SECRET}/"}
            )
            reply = connection.getresponse()
            return reply.status, reply.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    def browse(self, pages: int = 40) -> tuple[int, float]:
        """Pages one after the other: how many failed, and the 95th percentile in seconds. Ends after five failures."""
        failed, seconds = 0, []
        for _ in range(pages):
            began = time.monotonic()
            failed += self.ask("/page", limit=5)[0] != 200
            seconds.append(time.monotonic() - began)
            if failed == 5:
                break
        return failed, statistics.quantiles(seconds, n=20)[-1]


@pytest.fixture(scope="module")
def balancer() -> Iterator[LoadBalancer]:
    with engine_with_images(("load-balancer", "mail-sink")) as client:
        made = LoadBalancer(client)
        made.start()
        yield made


def test_without_the_load_balancer_slow_bodies_stop_the_portal(balancer: LoadBalancer) -> None:
    """What this file is about can be seen by it: Caddy alone, as a public image runs it, hands a body on as it comes."""
    balancer.start(with_nginx=False)
    slow = balancer.slow("body", 60, 60, settle=False)
    answers = [balancer.ask("/page", limit=4) for _ in range(2)]
    slow.remove()
    assert answers == [(0, b"")] * 2
    balancer.start()


@pytest.mark.parametrize("kind", ["idle", "headers", "body", "chunked", "reader"])
def test_sixty_slow_connections_keep_nobody_waiting(balancer: LoadBalancer, kind: str) -> None:
    quiet = balancer.browse()
    slow = balancer.slow(kind, 60, 60)
    failed, p95 = balancer.browse()
    slow.remove()
    print(f"\n60 x {kind}: p95 {p95 * 1000:.0f} ms, before {quiet[1] * 1000:.0f} ms")
    assert failed == 0
    assert p95 < 1


@pytest.mark.parametrize(
    "kind", ["idle", *(pytest.param(each, marks=pytest.mark.slow) for each in ("headers", "body", "reader"))]
)
def test_a_thousand_of_one_client_have_its_share_alone(balancer: LoadBalancer, kind: str) -> None:
    slow = balancer.slow(kind, 1000, 8)
    failed, p95 = balancer.browse()
    assert slow.wait_end(limit=60) == 0, slow.logs()
    held = balancer.printed_by(slow, "open")
    slow.remove()
    print(f"\n1000 x {kind}: p95 {p95 * 1000:.0f} ms, {held} let in")
    assert failed == 0
    assert p95 < 1
    assert held <= ONE
    assert not balancer.box.state["OOMKilled"]
    assert balancer.box.state["Running"]


def test_deadlines_are_of_what_comes(balancer: LoadBalancer) -> None:
    """A megabit a second takes 40 s for five megabytes and gets through; who is slower is ended before that.

    Meanwhile somebody waits for a service that is away, with a token in the address.
    """
    kinds = ("body", "chunked", "headers", "idle")
    slow = {kind: balancer.slow(kind, 8, 42, name=f"c-slow-{kind}") for kind in kinds}
    with ThreadPoolExecutor(2) as threads:
        away = threads.submit(balancer.ask, f"/reset/{SECRET}?token={SECRET}", "gone.test", limit=45)
        chunked = threads.submit(uploaded, balancer, size=5_000_000, bytes_a_second=125_000, chunked=True)
        seconds = uploaded(balancer, size=5_000_000, bytes_a_second=125_000)
    assert seconds > 35
    assert chunked.result() > 35
    for kind, box in slow.items():
        assert box.wait_end(limit=60) == 0, box.logs()
        assert (kind, balancer.printed_by(box, "begun"), balancer.printed_by(box, "open")) == (kind, 8, 0)
        box.remove()
    assert away.result()[0] in (502, 503)
    assert SECRET not in balancer.box.logs()
    assert "lookup nobody" in balancer.box.logs(), "an error of Caddy's still says which service is away"


def uploaded(balancer: LoadBalancer, size: int, bytes_a_second: int, *, chunked: bool = False) -> float:
    """The seconds of an upload to the cms at a line's pace; it must be taken."""
    piece = bytes_a_second // 5
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    began = time.monotonic()
    with balancer.connect() as talk:
        talk.sendall(f"POST /page HTTP/1.1\r\nHost: cms.test\r\n{length}\r\n\r\n".encode())
        for number in range(size // piece):
            talk.sendall(chunk(b"x" * piece) if chunked else b"x" * piece)
            # A line's pace, which nothing can be awaited for.
            time.sleep(max(0.0, began + (number + 1) / 5 - time.monotonic()))
        if chunked:
            talk.sendall(chunk(b""))
        assert f'{{"taken": {size}'.encode() in received(talk, b"}")
    return time.monotonic() - began


def chunk(data: bytes) -> bytes:
    """A piece of a body of unknown length; its end where there is no data."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@pytest.mark.parametrize("kind", ["chunked", "large"])
def test_slow_bodies_of_two_addresses_leave_uploads_their_places(balancer: LoadBalancer, kind: str) -> None:
    """Who holds what a client may hold, twice, keeps neither an upload nor a body of unknown length out."""
    boxes = [balancer.slow(kind, 8, 60, name=f"c-slow-{kind}-{each}") for each in range(2)]
    upload = balancer.ask("/page", method="POST", body=b"x" * 2_000_000, limit=20)
    with balancer.connect() as talk:
        talk.sendall(b"POST /page HTTP/1.1\r\nHost: lms.test\r\nTransfer-Encoding: chunked\r\n\r\n")
        talk.sendall(chunk(b"x" * 50_000) + chunk(b""))
        unknown = received(talk, b"}")
    for box in boxes:
        box.remove()
    assert (upload[0], json.loads(upload[1] or b"{}").get("taken")) == (200, 2_000_000)
    assert b'{"taken": 50000' in unknown


def test_one_client_holds_one_body_of_unknown_length(balancer: LoadBalancer) -> None:
    """The second is refused at once; the place is free when the first has ended, also by being too large."""
    head = b"POST /page HTTP/1.1\r\nHost: lms.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    with balancer.connect() as first, balancer.connect() as second:
        first.sendall(head + b"3d0900\r\n")
        until("the first to have its place", lambda: refused(balancer, head), limit=10)
        second.sendall(head)
        assert b" 503 " in second.recv(4096)
    # Beyond 4 MB: nginx answers by itself.
    until("the place to be free", lambda: not refused(balancer, head), limit=10)
    with balancer.connect() as large:
        large.sendall(head + b"3d0901\r\nx")
        large.settimeout(10)
        assert b" 413 " in large.recv(4096)
    until("the place to be free again", lambda: not refused(balancer, head), limit=20)
    assert "[alert]" not in balancer.box.logs()


def refused(balancer: LoadBalancer, head: bytes) -> bool:
    """Whether there is no place for such a request."""
    with balancer.connect() as talk:
        talk.sendall(head + chunk(b"x") + chunk(b""))
        status = talk.recv(4096).split(b" ", 2)[1]
    assert status in (b"200", b"503"), status
    return status == b"503"


@pytest.mark.parametrize(
    ("line", "host", "status"),
    [
        ("/page", "lms.test", 200),
        ("/page", "LMS.test:8080", 200),
        ("http://lms.test/page", "lms.test", 200),
        ("http://lms.test:8080/page", "Lms.Test", 200),
        # The cms takes 250 MB, the lms four: limits of the one are not for requests of the other.
        ("http://cms.test/page", "lms.test", 400),
        ("http://lms.test/page", "elsewhere.test", 400),
        ("http://lms.test/page", "", 400),
        ("http://lms.test/page", "lms.test.evil", 400),
        # The lms shows drafts at one host; the same with a dot at its end is another, which no site is.
        ("/page", "preview.lms.test", 200),
        ("/page", "preview.lms.test:8080", 200),
        ("/page", "preview.lms.test.", 404),
        ("/page", "preview.lms.test.:8080", 404),
        # The application is told the header's.
        ("http://preview.lms.test./page", "preview.lms.test", 200),
        ("http://preview.lms.test/page", "preview.lms.test.", 404),
        ("/page", "elsewhere.test", 404),
        ("http://elsewhere.test/page", "elsewhere.test", 404),
    ],
)
def test_a_request_names_one_host(balancer: LoadBalancer, line: str, host: str, status: int) -> None:
    with balancer.connect() as talk:
        talk.sendall(f"GET {line} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert f"HTTP/1.1 {status} ".encode() in talk.recv(4096)


def test_one_client_has_one_event_stream(balancer: LoadBalancer) -> None:
    """Four of a host, since each keeps a thread: nobody has all of them."""
    ask = b"GET /events HTTP/1.1\r\nHost: lms.test\r\nAccept: text/event-stream\r\n\r\n"
    with balancer.connect() as first, balancer.connect() as second:
        first.sendall(ask)
        received(first, b"data: 0")
        second.sendall(ask)
        assert b" 503 " in second.recv(4096)


def test_bodies_arrive_whole_and_too_large_ones_not_at_all(balancer: LoadBalancer) -> None:
    for size in (0, 1, 16_384, 16_385, 1_000_000, 4_000_000):
        status, text = balancer.ask("/page", method="POST", body=b"x" * size, limit=20)
        assert (status, json.loads(text)["taken"]) == (200, size)
    assert balancer.ask("/page", method="POST", body=b"x" * 4_000_001, limit=20)[0] in (413, 0)
    assert balancer.ask("/page", "elsewhere.test", method="POST", body=b"x" * 2000)[0] in (413, 0)
    with balancer.connect() as talk:
        talk.sendall(b"POST /page HTTP/1.1\r\nHost: lms.test\r\nTransfer-Encoding: chunked\r\n\r\n")
        talk.sendall(b"5\r\nhello\r\n" * 10_000 + b"0\r\n\r\n")
        assert b'{"taken": 50000' in received(talk, b"}")
    with balancer.connect() as talk:
        talk.sendall(
            b"POST /page HTTP/1.1\r\nHost: lms.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
        assert b"100 Continue" in received(talk, b"\r\n\r\n")
        talk.sendall(b"hello")
        assert b'{"taken": 5' in received(talk, b"}")


def received(talk: socket.socket, end: bytes) -> bytes:
    """What comes up to an end, within the connection's limit."""
    got = b""
    while end not in got:
        piece = talk.recv(4096)
        assert piece, got
        got += piece
    return got


def test_who_a_client_is_it_does_not_say_itself(balancer: LoadBalancer) -> None:
    with balancer.connect() as talk:
        talk.sendall(
            b"POST /page HTTP/1.1\r\nHost: lms.test\r\nContent-Length: 0\r\n"
            b"X-Forwarded-For: 6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n\r\n"
        )
        request_facts = json.loads(received(talk, b"}").partition(b"\r\n\r\n")[2])
    assert request_facts["client"] == balancer.box.address.rpartition(".")[0] + ".1"


def test_events_and_websockets_are_not_held_back(balancer: LoadBalancer) -> None:
    with balancer.connect() as talk:
        talk.sendall(b"GET /events HTTP/1.1\r\nHost: lms.test\r\nAccept: text/event-stream\r\n\r\n")
        began = time.monotonic()
        received(talk, b"data: 0")
        first = time.monotonic() - began
        received(talk, b"data: 2")
        assert first < 0.9
        assert time.monotonic() - began > 1.5
    with balancer.connect() as talk:
        talk.sendall(
            b"GET /ws HTTP/1.1\r\nHost: lms.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        )
        assert b" 101 " in received(talk, b"\r\n\r\n")
        for word in (b"ping", b"pong"):
            talk.sendall(word)
            assert received(talk, word) == word


def test_one_client_has_no_rate_without_end(balancer: LoadBalancer) -> None:
    """A burst of a thousand requests passes; then a hundred a second."""
    statuses: list[bytes] = []
    with ExitStack() as stack:
        talks = [stack.enter_context(balancer.connect()) for _ in range(4)]
        for _ in range(4):
            for talk in talks:
                # Refused by Caddy at once: the application has no part in this.
                talk.sendall(b"GET / HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n" * 100)
            for talk in talks:
                statuses += answers(talk, 100)
    assert set(statuses) == {b"404", b"429"}
    assert statuses.count(b"404") >= 1000
    until("the rate to be that of people again", lambda: balancer.ask("/page")[0] == 200, limit=20)


def answers(talk: socket.socket, count: int) -> list[bytes]:
    """The status of each of so many answers."""
    got = b""
    while got.count(b"HTTP/1.1 ") < count:
        piece = talk.recv(65536)
        assert piece, got[-500:]
        got += piece
    return [each[:3] for each in got.split(b"HTTP/1.1 ")[1:]]


def test_no_log_of_it_has_what_a_request_holds(balancer: LoadBalancer) -> None:
    """Of a body too large, a request that is none; of a service that is away see the deadlines."""
    balancer.ask(f"/reset/{SECRET}", method="POST", body=b"x" * 4_000_001, limit=20)
    with balancer.connect() as talk:
        talk.sendall(f"GET /{SECRET} HTTP/1.1\r\nHost: lms.test\r\n{SECRET}\x00: x\r\n\r\n".encode())
        assert b" 400 " in talk.recv(4096)
    assert SECRET not in balancer.box.logs()


def test_it_ends_in_time_with_connections_open(balancer: LoadBalancer) -> None:
    slow = balancer.slow("body", 20, 60)
    code, seconds = balancer.box.stop()
    slow.remove()
    assert code == 0, balancer.box.logs()
    assert seconds < 28
