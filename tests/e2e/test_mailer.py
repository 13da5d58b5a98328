"""The mailer and the mail-sink on a real engine: whom they refuse, where mail goes, and that none is lost."""

import base64
import collections
import http.client
import json
import shutil
import smtplib
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest

from testbed.waiting import until
from tests.e2e import image_trial
from tests.e2e.image_engine import create_network, engine_with_images, make_directories
from tests.e2e.image_trial import MAILS_NETWORK, TrialNetwork

pytestmark = pytest.mark.e2e

OUTSIDE, OUTSIDE_SUBNET = "c-outside", "10.99.5.0/24"
# The mailer's own there, for a domain that says that its mail server is the mailer.
OWN_ADDRESS = "10.99.5.77"
# A half of it stands for the internet; the other is what it is, a private network.
AS_INTERNET, PRIVATE_ADDRESS = "10.99.5.0/25", "10.99.5.200"
DIRECT = ("MAIL_DELIVERY=direct", "MAIL_DIRECT_PORT=8025", f"MAIL_DIRECT_NETWORK={AS_INTERNET}")
DOMAIN = "portal.test"
SENDER = f"no-reply@{DOMAIN}"
SERVERS = (Path(__file__).parent / "mail_servers.py").read_text()
# What a naive configuration gets wrong: its own signs, a separator, quotes, a blank, a letter beyond ASCII.
ODD = "p^a:s$s {w}\"o'r%d\\é"
IDLE_MIB = 24
PER_CLIENT = 10
SINK_MOST = 32
# As many deliveries as may be under way at one moment, and so be repeated after a kill.
AT_ONCE = 4


@dataclass(kw_only=True)
class Box(image_trial.ImageContainer):
    """A container in the place of mail."""

    trial: TrialNetwork = MAILS_NETWORK


@dataclass(kw_only=True)
class Ground:
    """The engine and the drive's two directories."""

    client: docker.APIClient
    root: Path

    def mailer(self, *env: str, files: dict[str, str] | None = None, memory: int = 64) -> Box:
        """A mailer over the queue as it is, in the portal's network and egress."""
        box = Box(
            client=self.client,
            name="c-mailer",
            role="mailer",
            user="60991",
            memory=memory,
            env=(
                f"MAIL_HOSTNAME={DOMAIN}",
                f"MAIL_DOMAINS={DOMAIN},second.test",
                f"MAIL_NETWORK={MAILS_NETWORK.subnet}",
                "MAIL_QUEUE_RUN=1s",
                "MAIL_RETRY=1s",
                *env,
            ),
            files=files or {},
            binds=(f"{self.root}/mailer:/data",),
            dns=(self.address("c-dns", OUTSIDE),) if "MAIL_DELIVERY=direct" in env else (),
        )
        box.create()
        self.client.connect_container_to_network(box.name, OUTSIDE, ipv4_address=OWN_ADDRESS)
        box.start().wait_ready()
        return box

    def server(
        self, name: str, *words: str, files: dict[str, str] | None = None, network: str = OUTSIDE
    ) -> Box:
        """One of mail_servers.py."""
        box = Box(
            client=self.client,
            name=name,
            role="mail-sink",
            entrypoint=("python3", "/portal/servers.py"),
            command=words,
            files={"/portal/servers.py": SERVERS, **(files or {})},
            network=network,
        )
        return box.create().start()

    def sink(self) -> Box:
        """The mail-sink over its directory."""
        return Box(
            client=self.client,
            name="c-mail-sink",
            role="mail-sink",
            user="60990",
            env=("SINK_TITLE=<Trial> University", "SINK_USERNAME=admin"),
            files={"/run/secrets/admin-password": ODD},
            binds=(f"{self.root}/mail-sink:/data",),
        ).create()

    def address(self, name: str, network: str = MAILS_NETWORK.network) -> str:
        """A container's address in a network."""
        networks = self.client.inspect_container(name)["NetworkSettings"]["Networks"]
        return str(networks[network]["IPAddress"])

    def empty(self) -> None:
        """No mail is left of an earlier test."""
        box = Box(
            client=self.client,
            name="c-empty",
            role="ops",
            user="0",
            entrypoint=("find", "/root-of-it", "-mindepth", "2", "-delete"),
            binds=(f"{self.root}:/root-of-it",),
            capabilities=("DAC_OVERRIDE",),
            network="none",
        )
        box.create().start()
        assert box.wait_end() == 0, box.logs()
        box.remove()


@pytest.fixture(scope="module")
def ground_() -> Iterator[Ground]:
    with engine_with_images(("ops", "mailer", "mail-sink"), MAILS_NETWORK) as client:
        create_network(client, OUTSIDE, OUTSIDE_SUBNET, internal=False, trial=MAILS_NETWORK)
        root = Path(tempfile.mkdtemp(prefix="portals-mail-", dir="/var/tmp"))
        make_directories(client, root, {"mailer": 60991, "mail-sink": 60990}, MAILS_NETWORK)
        made = Ground(client=client, root=root)
        yield made
        for name in ("c-mailer", "c-mail-sink"):
            Box(client=client, name=name, role="ops").remove()
        shutil.rmtree(root)


@pytest.fixture
def mails(ground_: Ground) -> Ground:
    """An empty queue and an empty sink."""
    for name in ("c-mailer", "c-mail-sink", "c-smarthost", "c-dns", "c-mx"):
        Box(client=ground_.client, name=name, role="ops").remove()
    ground_.empty()
    return ground_


NOWHERE = "MAIL_SINK=nowhere"


@pytest.fixture
def running(ground_: Ground) -> tuple[Ground, Box]:
    """A mailer that nobody stops, with nowhere to send to; anew where another test had one of its own."""
    box = Box(client=ground_.client, name="c-mailer", role="mailer")
    try:
        kept = NOWHERE in ground_.client.inspect_container(box.name)["Config"]["Env"]
    except docker.errors.NotFound:
        kept = False
    if not kept:
        box.remove()
        ground_.empty()
        box = ground_.mailer("MAIL_DELIVERY=sink", NOWHERE)
    return ground_, box


def letter(
    subject: str, sender: str = SENDER, to: str = "ann@learner.example", text: str = "Hello\n"
) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, subject
    made.set_content(text)
    return made


@contextmanager
def smtp(address: str) -> Iterator[smtplib.SMTP]:
    """A conversation, closed at its end whatever happened."""
    talk = smtplib.SMTP(timeout=20)
    talk.command_encoding = "utf-8"
    try:
        talk.connect(address, 8025)
        yield talk
    finally:
        talk.close()


def send(ground_: Ground, *letters: EmailMessage) -> None:
    with smtp(ground_.address("c-mailer")) as talk:
        for each in letters:
            talk.send_message(each)


def delivered_to(box: Box) -> list[dict[str, Any]]:
    """What a server has taken."""
    return [json.loads(line) for line in box.logs().splitlines() if line.startswith("{")]


def queued(ground_: Ground) -> int:
    """How many mails wait on the drive."""
    return len(list((ground_.root / "mailer" / "input").glob("*-H")))


def sunk(
    ground_: Ground, path: str = "/messages.json", login: str | None = f"admin:{ODD}"
) -> tuple[int, bytes]:
    """What the sink's page answers."""
    headers = {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()} if login else {}
    connection = http.client.HTTPConnection(ground_.address("c-mail-sink"), 8026, timeout=20)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        return answer.status, answer.read()
    finally:
        connection.close()


# Who may send, and what


def test_it_runs_as_its_user_without_any_right_and_is_small(running: tuple[Ground, Box]) -> None:
    _, box = running
    status = dict(
        line.split(":\t", 1) for line in box.exec("cat", "/proc/1/status")[1].splitlines() if ":\t" in line
    )
    assert status["Uid"].split() == ["60991"] * 4
    assert {int(status[each], 16) for each in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {0}
    assert box.exec("find", "/usr", "-user", "root", "-perm", "-4000", "-name", "*exim*")[1] == ""
    used = box.client.stats(box.name, stream=False)["memory_stats"]
    idle = used["usage"] - used["stats"].get("total_inactive_file", used["stats"].get("inactive_file", 0))
    assert idle / 2**20 < IDLE_MIB


HELLO = ("EHLO lms",)
MAIL = (*HELLO, f"MAIL FROM:<{SENDER}>")
TO = (*MAIL, "RCPT TO:<ann@learner.example>")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        # Foreign senders, and none.
        ((*HELLO, "MAIL FROM:<ann@learner.example>"), 550),
        ((*HELLO, f"MAIL FROM:<ann@learner.example.{DOMAIN}.example>"), 550),
        ((*HELLO, f"MAIL FROM:<ann@sub.{DOMAIN}>"), 550),
        ((*HELLO, "MAIL FROM:<>"), 550),
        ((*HELLO, "MAIL FROM:<ann>"), 501),
        ((*HELLO, f"MAIL FROM:<@{DOMAIN}:ann@learner.example>"), 550),
        # A name in the greeting gives no right.
        ((f"EHLO {DOMAIN}", "MAIL FROM:<ann@learner.example>"), 550),
        (("HELO localhost", "MAIL FROM:<root@localhost>"), 550),
        # Old ways to have a mail relayed.
        ((*MAIL, "RCPT TO:<learner.example!ann>"), 501),
        ((*MAIL, "RCPT TO:<@relay.example:ann@learner.example>"), 550),
        ((*MAIL, f"RCPT TO:<@{DOMAIN},@relay.example:ann@learner.example>"), 550),
        ((*MAIL, 'RCPT TO:<"ann@learner.example"@relay.example>'), 550),
        ((*MAIL, 'RCPT TO:<"ann b"@learner.example>'), 550),
        ((*MAIL, "RCPT TO:<ann@learner.example@relay.example>"), 501),
        # No file, no program, no address, nobody here.
        ((*MAIL, 'RCPT TO:<"|/bin/sh x"@learner.example>'), 550),
        ((*MAIL, 'RCPT TO:<":include:/etc/passwd"@learner.example>'), 550),
        ((*MAIL, "RCPT TO:<ann@[127.0.0.1]>"), 501),
        ((*MAIL, "RCPT TO:<ann@learner.example.>"), 501),
        ((*MAIL, "RCPT TO:<änn@learner.example>"), 550),
        ((*MAIL, "RCPT TO:<ann@lërner.example>"), 501),
        ((*MAIL, f"RCPT TO:<{'a' * 64}@learner.example>"), 250),
        ((*MAIL, f"RCPT TO:<{'a' * 65}@learner.example>"), 550),
        ((*MAIL, "RCPT TO:<postmaster>"), 550),
        ((*MAIL, "RCPT TO:<ann>"), 501),
        # Nothing but sending mail.
        ((*HELLO, "VRFY root@portal.test"), 252),
        ((*HELLO, "EXPN root"), 550),
        ((*HELLO, "ETRN #learner.example"), 458),
        ((*HELLO, "STARTTLS"), 503),
        ((*HELLO, "AUTH PLAIN AGFubgBhbm4="), 503),
        ((*HELLO, "BDAT 10 LAST"), 503),
    ],
)
def test_it_is_no_open_relay(running: tuple[Ground, Box], words: tuple[str, ...], code: int) -> None:
    ground_, _ = running
    with smtp(ground_.address("c-mailer")) as talk:
        for word in words[:-1]:
            assert talk.docmd(word)[0] == 250, word
        assert talk.docmd(words[-1])[0] == code
    assert queued(ground_) == 0


@pytest.mark.parametrize(
    "head",
    [
        "From: ann@learner.example",
        f"From: {SENDER}, ann@learner.example",
        f"From: {SENDER}\r\nFrom: ann@learner.example",
        f"From: {SENDER}\r\nSender: ann@learner.example",
        f"From: {SENDER}\r\nResent-From: ann@learner.example",
        f'From: "{SENDER}" <ann@learner.example>',
        f"From: ann@learner.example ({SENDER})",
        f"From: =?utf-8?q?{SENDER}?= <ann@learner.example>",
        "From: undisclosed:;",
        "From:",
        "From: nobody",
        "X-From: nothing",
    ],
)
def test_who_a_mail_says_that_it_is_from_must_be_the_portal(running: tuple[Ground, Box], head: str) -> None:
    ground_, _ = running
    with smtp(ground_.address("c-mailer")) as talk:
        for word in TO:
            assert talk.docmd(word)[0] == 250
        assert talk.docmd("DATA")[0] == 354
        talk.send(f"{head}\r\nSubject: x\r\n\r\nHello\r\n.\r\n")
        assert talk.getreply()[0] == 550
    assert queued(ground_) == 0


@pytest.mark.parametrize("words", [("EHLO lms",), ("HELO mailer",), (f"MAIL FROM:<{SENDER}>",), ("QUIT",)])
def test_outside_of_the_portals_network_nobody_gets_a_word_in(
    running: tuple[Ground, Box], words: tuple[str, ...]
) -> None:
    ground_, _ = running
    talk = smtplib.SMTP(timeout=20)
    try:
        code, answer = talk.connect(ground_.address("c-mailer", OUTSIDE), 8025)
        assert (code, answer) == (550, b"relay not permitted")
        with suppress(smtplib.SMTPServerDisconnected, OSError):
            assert talk.docmd(words[0])[0] >= 500
    finally:
        talk.close()


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\n\r\n.\n", b"\r\n\0.\r\n"]
)
def test_no_second_mail_is_smuggled_in_the_first(running: tuple[Ground, Box], end: bytes) -> None:
    """CVE-2023-51766: what one server takes for the end of a mail another must not take for its middle."""
    ground_, box = running
    before = box.logs().count(" <= ")
    second = b"MAIL FROM:<no-reply@portal.test>\r\nRCPT TO:<bob@learner.example>\r\nDATA\r\nFrom: no-reply@portal.test\r\n\r\nx"
    with smtp(ground_.address("c-mailer")) as talk:
        for word in TO:
            assert talk.docmd(word)[0] == 250
        assert talk.docmd("DATA")[0] == 354
        assert talk.sock
        talk.sock.sendall(
            b"From: no-reply@portal.test\r\nSubject: x\r\n\r\nHello" + end + second + b"\r\n.\r\n"
        )
        talk.getreply()
        with suppress(smtplib.SMTPServerDisconnected, TimeoutError, OSError):
            talk.docmd("QUIT")
    assert box.logs().count(" <= ") - before <= 1
    ground_.client.stop(box.name, timeout=20)
    ground_.empty()
    box.start().wait_ready()


def test_a_flood_without_a_sender_leaves_it_well(running: tuple[Ground, Box]) -> None:
    ground_, box = running
    for _ in range(40):
        with smtp(ground_.address("c-mailer")) as talk:
            talk.docmd("EHLO flood")
            for _ in range(5):
                assert talk.docmd("MAIL FROM:<>")[0] == 550
    assert queued(ground_) == 0
    assert box.ready()


def test_connections_without_end_are_bounded_and_the_probe_gets_through(running: tuple[Ground, Box]) -> None:
    ground_, box = running
    open_: list[socket.socket] = []
    try:
        greetings = []
        for _ in range(40):
            made = socket.create_connection((ground_.address("c-mailer"), 8025), timeout=20)
            open_.append(made)
            greetings.append(made.recv(3))
        # One client has its share, and leaves the rest to others.
        assert greetings.count(b"220") == PER_CLIENT
        assert greetings[-1] == b"421"
        assert box.ready()
        other = ground_.server("c-other", "client", "mailer", network=MAILS_NETWORK.network)
        assert other.wait_end() == 0, other.logs()
        other.remove()
    finally:
        for each in open_:
            each.close()
    until("the connections to be gone", lambda: accepts(ground_), limit=30)
    assert not box.state["OOMKilled"]


def test_the_sink_has_a_bound_too_and_forgets_who_is_gone(mails: Ground) -> None:
    mails.sink().start().wait_ready()
    most = SINK_MOST + 8
    # All at once: the engine's pause is what makes a burst of them certain.
    mails.client.pause("c-mail-sink")
    open_ = [socket.create_connection((mails.address("c-mail-sink"), 8025), timeout=20) for _ in range(most)]
    mails.client.unpause("c-mail-sink")
    greetings = [each.recv(3) for each in open_]
    for each in open_:
        each.close()
    assert greetings == [b"220"] * SINK_MOST + [b"421"] * 8
    until("the connections to be gone", lambda: greeted(mails), limit=20)


def greeted(mails: Ground) -> bool:
    """Whether the sink takes a connection."""
    with socket.create_connection((mails.address("c-mail-sink"), 8025), timeout=20) as talk:
        return talk.recv(3) == b"220"


def accepts(ground_: Ground) -> bool:
    with suppress(smtplib.SMTPException, OSError), smtp(ground_.address("c-mailer")) as talk:
        return talk.docmd("NOOP")[0] == 250
    return False


def test_a_mail_beyond_measure_is_refused(running: tuple[Ground, Box]) -> None:
    ground_, _ = running
    # Made before the conversation, of which the mailer ends one that is silent for half a minute.
    large = f"From: {SENDER}\r\nSubject: large\r\n\r\n".encode() + (b"y" * 76 + b"\r\n") * 300_000
    with smtp(ground_.address("c-mailer")) as talk:
        # By what is announced, before anything is sent; by what has come, at its end: read to there, never cut off.
        assert talk.docmd("EHLO lms")[0] == 250
        assert talk.docmd(f"MAIL FROM:<{SENDER}> SIZE={len(large)}")[0] == 552
        for word in TO[1:]:
            assert talk.docmd(word)[0] == 250
        assert talk.data(large)[0] == 552
        assert talk.noop()[0] == 250
    assert queued(ground_) == 0


# Where it goes


def test_a_mail_reaches_the_sink_and_its_page(mails: Ground) -> None:
    mails.sink().start().wait_ready()
    mailer = mails.mailer("MAIL_DELIVERY=sink")
    html = (
        "<p>Open <a href='https://portal.test/activate/1?a=b&amp;c=d'>this</a><script>alert(1)</script></p>"
    )
    message = letter(
        "Activate <b>é</b>", sender=f"Trial <{SENDER.upper()}>", text="https://portal.test/activate/2 now\n"
    )
    message.add_alternative(html, subtype="html")
    only_html = letter("Only HTML", sender="no-reply@second.test", to="Bob@Learner.example")
    only_html.set_content(html, subtype="html")
    send(mails, message, only_html)
    until("both to be there", lambda: json.loads(sunk(mails)[1])["count"] == 2, limit=20)
    until("the queue to be empty", lambda: queued(mails) == 0, limit=10)
    messages = json.loads(sunk(mails, "/messages.json?to=ann@learner.example")[1])["messages"]
    assert [each["links"] for each in messages] == [["https://portal.test/activate/2"]]
    other = json.loads(sunk(mails, "/messages.json?to=bob@learner.example")[1])["messages"]
    assert other[0]["links"] == ["https://portal.test/activate/1?a=b&c=d"]
    assert other[0]["sender"] == "no-reply@second.test"
    listing = sunk(mails, "/")[1].decode()
    assert "none is delivered" in listing
    assert "&lt;Trial&gt; University" in listing
    assert "Activate &lt;b&gt;" in listing
    page = sunk(mails, f"/messages/{messages[0]['id']}")[1].decode()
    assert '<a href="https://portal.test/activate/2" rel="noreferrer">' in page
    assert "<script" not in page + listing
    assert sunk(mails, "/messages/../../etc/passwd")[0] == 404
    assert sunk(mails, f"/messages/{messages[0]['id']}.eml")[1].startswith(b"Received: by portal.test")
    for login in (None, "admin:wrong", f"root:{ODD}", "admin:", f"admin:{ODD}x"):
        assert {sunk(mails, path, login)[0] for path in ("/", "/messages.json", "/style.css")} == {401}
    assert sunk(mails, "/healthz", None)[0] == 200
    assert mailer.ready()


def test_the_sink_keeps_its_mails_over_a_kill_and_a_new_container(mails: Ground) -> None:
    mails.sink().start().wait_ready()
    mails.mailer("MAIL_DELIVERY=sink")
    send(mails, *(letter(f"number {each}") for each in range(10)))
    until("all to be there", lambda: json.loads(sunk(mails)[1])["count"] == 10, limit=30)
    Box(client=mails.client, name="c-mail-sink", role="mail-sink").kill()
    mails.sink().start().wait_ready()
    assert json.loads(sunk(mails)[1])["count"] == 10


@dataclass(kw_only=True)
class Certificate:
    """A server's certificate with its key, and that of its authority."""

    authority: str
    files: dict[str, str]


@pytest.fixture(scope="module")
def certificate(ground_: Ground) -> Certificate:
    """Made where openssl is: in a container."""
    box = ground_.server("c-authority", "authority", "c-smarthost")
    assert box.wait_end() == 0, box.logs()
    [read] = delivered_to(box)
    box.remove()
    return Certificate(
        authority=read["ca.crt"], files={f"/srv/{name}": read[name] for name in ("own.crt", "own.key")}
    )


def to_smarthost(mails: Ground, certificate: Certificate, password: str = ODD, trusted: bool = True) -> Box:
    files = {"/run/secrets/mailer-smarthost-password": password}
    if trusted:
        files["/portal/config/ca.crt"] = certificate.authority
    return mails.mailer(
        "MAIL_DELIVERY=smarthost",
        "MAIL_SMARTHOST=c-smarthost:8025",
        "MAIL_USERNAME=us^er$name",
        files=files,
    )


def smarthost(mails: Ground, certificate: Certificate, *words: str) -> Box:
    plain = [each for each in words if each == "plain"]
    more = [each for each in words if each != "plain"]
    accounts = (*(plain or [f"us^er$name:{ODD}"]), *more)
    return mails.server("c-smarthost", "smarthost", *accounts, files=certificate.files)


def test_a_smarthost_gets_mail_and_password_by_tls(mails: Ground, certificate: Certificate) -> None:
    host = smarthost(mails, certificate)
    to_smarthost(mails, certificate)
    send(mails, letter("by smarthost", text="x" * 5000 + "\n"))
    until("it to be there", lambda: delivered_to(host), limit=30)
    [delivery] = delivered_to(host)
    assert (delivery["subject"], delivery["from"], delivery["to"]) == (
        "by smarthost",
        SENDER,
        ["ann@learner.example"],
    )
    assert delivery["tls"] == "TLSv1.3"
    assert delivery["user"] == "us^er$name"
    assert delivery["helo"] == DOMAIN
    until("the queue to be empty", lambda: queued(mails) == 0, limit=10)


@pytest.mark.parametrize("fault", ["wrong password", "unknown authority", "no STARTTLS"])
def test_a_smarthost_that_is_not_as_it_should_be_gets_nothing_and_the_mail_waits(
    mails: Ground, certificate: Certificate, fault: str
) -> None:
    plain = fault == "no STARTTLS"
    host = smarthost(mails, certificate, *(["plain"] if plain else []))
    mailer = to_smarthost(
        mails,
        certificate,
        password="wrong" if fault == "wrong password" else ODD,
        trusted=fault != "unknown authority",
    )
    send(mails, letter("waits"))
    sign = {
        "wrong password": "535",
        "unknown authority": "certificate",
        "no STARTTLS": "TLS",
    }[fault]
    until("a failed attempt", lambda: " == " in mailer.logs() and sign in mailer.logs(), limit=30)
    assert queued(mails) == 1
    assert delivered_to(host) == []
    assert ODD not in mailer.logs()
    # Once it is mended, the mail that waited goes.
    if plain:
        host = smarthost(mails, certificate)
    to_smarthost(mails, certificate)
    until("it to be there", lambda: delivered_to(host), limit=40)
    until("the queue to be empty", lambda: queued(mails) == 0, limit=10)


def test_directly_a_mail_goes_to_the_servers_of_its_domain(mails: Ground) -> None:
    mx, lan = mails.server("c-mx", "mx"), mails.server("c-lan", "mx", network=MAILS_NETWORK.network)
    mails.client.connect_container_to_network("c-lan", OUTSIDE, ipv4_address=PRIVATE_ADDRESS)
    others = ("evil", "loop", "gone", "lan", "lan2", "lan3", "cgnat")
    zones = (
        f"learner.example={mails.address('c-mx', OUTSIDE)}",
        # Who says that its mail server is inside of the portal is not believed.
        f"evil.example={mails.client.inspect_network(MAILS_NETWORK.network)['IPAM']['Config'][0]['Subnet'].split('/')[0][:-1]}5",
        "loop.example=127.0.0.1",
        # Nor who says that it is in the networks behind the machine: somebody listens there.
        f"lan.example={PRIVATE_ADDRESS}",
        "lan2.example=172.31.255.1",
        "lan3.example=192.168.1.1",
        "cgnat.example=100.127.0.1",
    )
    mails.server("c-dns", "dns", *zones)
    mailer = mails.mailer(*DIRECT)
    send(mails, letter("by MX"), *(letter("no", to=f"a@{each}.example") for each in others))
    until("it to be there", lambda: delivered_to(mx), limit=30)
    assert [(each["subject"], each["to"]) for each in delivered_to(mx)] == [
        ("by MX", ["ann@learner.example"])
    ]
    # For good, and at once: the sender of each hears of it.
    until("the others to be given up", lambda: mailer.logs().count(" ** a@") >= len(others), limit=30)
    until("their bounces", lambda: mailer.logs().count(" <= <> R=") >= len(others), limit=10)
    assert delivered_to(lan) == []
    assert MAILS_NETWORK.subnet.replace("0/24", "5") not in mailer.logs().replace("H=", "")


# What exim reads something into where it is told to, and every sign of RFC 5321's dot-atom.
HOSTILE = (
    "ann%learner.example",
    "other.example!ann",
    "|/bin/sh",
    "/etc/passwd",
    "${run{/bin/id}}",
    "$local_part",
    "a/b",
    "ann+tag",
    "-ann",
    "!#$%&'*+-/=?^_`{|}~",
)


def test_a_local_part_is_its_own_hosts_affair(mails: Ground) -> None:
    """Nothing is run, opened or routed by it: it reaches the servers of its domain as it is."""
    mails.sink().start().wait_ready()
    mails.mailer("MAIL_DELIVERY=sink")
    expected = [f"{each}@learner.example" for each in (*HOSTILE, "admin")] + [f"{HOSTILE[0]}@{DOMAIN}"]
    with smtp(mails.address("c-mailer")) as talk:
        for address in expected:
            letter_ = letter("hostile", to="ann@learner.example")
            talk.sendmail(SENDER, [address], letter_.as_bytes())
    until("all to be there", lambda: json.loads(sunk(mails)[1])["count"] == len(expected), limit=40)
    delivered = [each for page in (mails.root / "mail-sink").glob("*.eml") for each in recipients(page)]
    assert sorted(delivered) == sorted(expected)
    until("the queue to be empty", lambda: queued(mails) == 0, limit=10)


def recipients(page: Path) -> list[str]:
    """Whom a kept mail was for."""
    lines = page.read_text().splitlines()
    return [line.partition(": ")[2] for line in lines if line.startswith("X-Sink-To: ")]


def test_no_domain_is_local_and_one_that_leads_back_is_given_up(mails: Ground) -> None:
    """The lms's own host is any domain: the first admin is admin@<lms>. Nothing goes in a circle."""
    mx = mails.server("c-mx", "mx")
    mails.server("c-dns", "dns", f"{DOMAIN}={mails.address('c-mx', OUTSIDE)}", f"self.example={OWN_ADDRESS}")
    mailer = mails.mailer(*DIRECT)
    send(mails, letter("own", to=f"admin@{DOMAIN}"), letter("circle", to="ann@self.example"))
    until("both, a mail and the word of the other", lambda: len(delivered_to(mx)) >= 2, limit=40)
    assert sorted((each["from"], *each["to"]) for each in delivered_to(mx)) == [
        ("<>", SENDER),
        (SENDER, f"admin@{DOMAIN}"),
    ]
    until("the queue to be empty", lambda: queued(mails) == 0, limit=20)
    assert mailer.logs().count(" ** ") == 1


def test_without_names_a_mail_waits(mails: Ground) -> None:
    """DNS that is down is no word that a domain is not there."""
    # It takes mail, and no question.
    mails.server("c-dns", "mx")
    mailer = mails.mailer("MAIL_DELIVERY=direct")
    send(mails, letter("waits"))
    until("a failed attempt", lambda: " == " in mailer.logs(), limit=60)
    assert " ** " not in mailer.logs()
    assert queued(mails) == 1


@pytest.mark.parametrize("bounces", [True, False])
def test_who_is_refused_for_good_is_said_once_and_nothing_goes_in_a_circle(
    mails: Ground, certificate: Certificate, bounces: bool
) -> None:
    host = smarthost(mails, certificate, *(() if bounces else ("nobounces",)))
    mailer = to_smarthost(mails, certificate)
    send(mails, letter("no", to="refused@learner.example"), letter("busy", to="busy@learner.example"))
    until("the queue to be empty", lambda: queued(mails) == 0, limit=60)
    # For now is tried again, for good is not; the sender hears of that, or the log alone.
    got = [(each["from"], *each["to"]) for each in delivered_to(host)]
    assert (SENDER, "busy@learner.example") in got
    assert got.count(("<>", SENDER)) == int(bounces)
    assert len(got) == 1 + int(bounces)
    gone = [line for line in mailer.logs().splitlines() if " ** " in line]
    assert len(gone) == 1 + int(not bounces), mailer.logs()
    assert "refused@learner.example" in gone[0]
    assert "550 not here" in gone[0]


def test_an_hour_has_its_bound(mails: Ground) -> None:
    mails.mailer("MAIL_DELIVERY=sink", "MAIL_PER_HOUR=20")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
        send(mails, *(letter(f"number {each}") for each in range(30)))
    assert 19 <= queued(mails) <= 22
    [(code, _)] = caught.value.recipients.values()
    assert code == 451


# Nothing is lost


def test_a_hundred_mails_survive_kills_and_a_new_container(mails: Ground) -> None:
    """Killed with a full queue, killed again while it is on its way; all arrive."""
    expected = {f"number {each}" for each in range(100)}
    first = mails.mailer("MAIL_DELIVERY=sink")
    send(mails, *(letter(each) for each in sorted(expected)))
    assert queued(mails) == 100
    first.kill()
    first.remove()
    assert queued(mails) == 100
    mails.sink().start().wait_ready()
    second = mails.mailer("MAIL_DELIVERY=sink")
    until("some to be there", lambda: json.loads(sunk(mails)[1])["count"] >= 5, limit=30)
    second.kill()
    before = json.loads(sunk(mails)[1])["count"]
    second.remove()
    began = time.monotonic()
    mails.mailer("MAIL_DELIVERY=sink")
    until("the queue to be empty", lambda: queued(mails) == 0, limit=60)
    print(f"\n{100 - before} mails of 100 in {time.monotonic() - began:.1f} s, the mailer's start included")
    got = subjects(mails)
    assert set(got) == expected
    # SMTP's own promise: what was under way when the mailer was killed may come again.
    assert sum(got.values()) - 100 <= AT_ONCE


def subjects(mails: Ground) -> collections.Counter[str]:
    """The subject of every mail in the sink's directory."""
    counts: collections.Counter[str] = collections.Counter()
    for path in (mails.root / "mail-sink").glob("*.eml"):
        line = next(line for line in path.read_bytes().splitlines() if line.startswith(b"Subject: "))
        counts[line[9:].decode()] += 1
    return counts


def test_what_cannot_be_sent_now_goes_later(mails: Ground) -> None:
    mailer = mails.mailer("MAIL_DELIVERY=sink")
    send(mails, letter("patience"))
    until("a first attempt", lambda: " == " in mailer.logs(), limit=20)
    assert queued(mails) == 1
    mails.sink().start().wait_ready()
    until("it to be there", lambda: json.loads(sunk(mails)[1])["count"] == 1, limit=30)


def test_sigterm_ends_it_and_keeps_the_queue(mails: Ground) -> None:
    mailer = mails.mailer("MAIL_DELIVERY=sink")
    send(mails, letter("kept"))
    code, seconds = mailer.stop()
    assert code == 0, mailer.logs()
    assert seconds < 20
    assert queued(mails) == 1


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ("MAIL_DELIVERY=post", "MAIL_DELIVERY is 'post', expected as direct, smarthost or sink"),
        (
            "MAIL_DOMAINS=a.test:b.test",
            "MAIL_DOMAINS is 'a.test:b.test', expected as learn.acme.com,acme.com",
        ),
        ("MAIL_NETWORK=0.0.0.0", "MAIL_NETWORK is '0.0.0.0', expected as 10.77.0.0/25"),
        ("MAIL_DELIVERY=smarthost", "MAIL_SMARTHOST is '', expected as smtp.example.com:587"),
    ],
)
def test_what_it_is_told_wrongly_ends_it_with_a_line(ground_: Ground, env: str, message: str) -> None:
    right = (
        "MAIL_DELIVERY=sink",
        f"MAIL_HOSTNAME={DOMAIN}",
        f"MAIL_DOMAINS={DOMAIN}",
        f"MAIL_NETWORK={MAILS_NETWORK.subnet}",
    )
    box = Box(
        client=ground_.client,
        name="c-mailer-wrong",
        role="mailer",
        user="60991",
        env=(*(each for each in right if each.partition("=")[0] != env.partition("=")[0]), env),
        tmpfs={"/data": "uid=60991,gid=60991"},
    )
    box.create().start()
    assert box.wait_end() == 1
    assert box.logs() == f"mailer: {message}\n"
    box.remove()
