"""The stand-in for edx-platform on the real data stores: the contract of docs/images.md, role by role."""

import http.client
import json
import os
import random
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from testbed.standin_bench import SECRETS, Answer, Bench, Browser, settings, until
from tests.e2e import migrated_bench
from tests.e2e.pictures import png

pytestmark = pytest.mark.e2e

JOB = ("lms-migrate", "oauth-sync", "create-admin", "cms-migrate", "lms-assets")
PASSWORD = "correct horse battery staple"
KILLS = int(os.environ.get("PORTAL_KILLS", "3"))
HEAVY = "lms-workers-heavy"
# Of the four roles together, idle after use.
MEMORY_MIB = 420


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """Six data stores, ready; migrated."""
    with migrated_bench.running(*JOB) as bench:
        yield bench


@pytest.fixture(scope="module")
def portal(bench: Bench) -> Bench:
    """The four roles, ready."""
    bench.start_ready("lms", "cms", "lms-workers", "cms-workers")
    return bench


@pytest.fixture
def learner(portal: Bench) -> Browser:
    """A learner who has just registered, activated the account and logged in."""
    browser = Browser(portal, "lms")
    name = f"learner-{random.randrange(10**9)}"
    assert "Look at your mail" in register(browser, name).text
    assert "Your account is active" in browser.submit(portal.mailed_link(f"{name}@bench.test")).text
    answer = browser.submit("/login", username=name, password=PASSWORD)
    assert f"Dashboard of {name}" in answer.text, answer
    return browser


def found_in(pattern: str, text: str) -> str:
    """The pattern's group in the text, which has it."""
    match = re.search(pattern, text)
    assert match, (pattern, text)
    return match[1]


def name_of(learner: Browser) -> str:
    return found_in(r"Log out ([\w-]+)", learner.get("/register").text)


def register(browser: Browser, name: str, password: str = PASSWORD) -> Answer:
    return browser.submit(
        "/register", email=f"{name}@bench.test", username=name, password1=password, password2=password
    )


def author(portal: Bench) -> Browser:
    browser = Browser(portal, "cms")
    answer = browser.submit("/login", username="admin@bench.test", password=portal.secrets["admin-password"])
    assert "New course" in answer.text, answer.text
    return browser


def create(browser: Browser, number: str, title: str) -> Answer:
    return browser.submit(
        "/home", title=title, org="bench", number=number, run="2024_T1", description=f"About {title}."
    )


def in_log(bench: Bench, role: str, line: str) -> bool:
    """Whether a role has logged it by now."""
    return line in bench.logs(role)


def report(learner: Browser) -> str | None:
    """What the dashboard says of a grade report that is done."""
    match = re.search(r"<p>Done at [^<]*</p>", learner.get("/dashboard").text)
    return match[0] if match else None


@contextmanager
def paused(bench: Bench, name: str) -> Iterator[None]:
    """A store that has accepted connections and answers nothing."""
    bench.pause(name)
    try:
        yield
    finally:
        bench.container(name).unpause()


# Jobs


def test_jobs_run_again_change_nothing(bench: Bench) -> None:
    code, log = bench.run_job(*JOB)
    assert code == 0, log
    assert "No migrations to apply" in log
    assert "lms-assets: 0 files copied" in log
    assert "admin admin: password unchanged" in log


def test_the_first_failing_verb_ends_the_chain(bench: Bench) -> None:
    broken = settings("lms") | {"STATIC_ROOT": "/proc/nowhere"}
    files = {"/openedx/config/lms.env.json": json.dumps(broken)}
    code, log = bench.run_job("lms-assets", "create-admin", files=files)
    assert code == 1
    assert "lms-assets: /proc/nowhere" in log
    assert "admin" not in log


def test_two_migrations_at_once_take_turns(bench: Bench) -> None:
    bench.sql(
        "DROP DATABASE edxapp; CREATE DATABASE edxapp CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
        "mysql",
    )
    with ThreadPoolExecutor(2) as threads:
        first = bench.start_job("lms-migrate")
        first.rename(f"{first.name}-first")
        code, log = threads.submit(bench.run_job, *JOB).result()
    assert first.wait(timeout=60)["StatusCode"] == 0, first.logs()
    first.remove()
    assert code == 0, log


def test_a_migration_killed_half_way_converges(bench: Bench) -> None:
    """Whatever statement the kill falls on, the next run ends with the very schema that an undisturbed run makes."""
    full_schema = schema(bench)
    for _ in range(KILLS):
        bench.sql(
            "DROP DATABASE edxapp; CREATE DATABASE edxapp CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
            "mysql",
        )
        under_way = bench.start_job("lms-migrate")
        until(
            "the first table",
            lambda: bench.sql(
                "SELECT 1 FROM information_schema.tables WHERE table_schema = 'edxapp' LIMIT 1"
            ),
        )
        time.sleep(random.uniform(0, 0.8))
        under_way.kill()
        under_way.wait(timeout=30)
        under_way.remove()
        left = bench.sql("SHOW TABLES")
        code, log = bench.run_job("lms-migrate")
        assert code == 0, f"killed with {left}: {log}"
        assert schema(bench) == full_schema
    assert bench.run_job(*JOB)[0] == 0


def schema(bench: Bench) -> list[str]:
    """Every column and key of the database."""
    columns = "table_name, column_name, column_type, is_nullable, column_default, column_key, extra"
    keys = "table_name, column_name, referenced_table_name, referenced_column_name"
    unique = "table_name, column_name, seq_in_index, non_unique"
    return [
        row
        for what, table in ((columns, "columns"), (keys, "key_column_usage"), (unique, "statistics"))
        for row in bench.sql(
            f"SELECT {what} FROM information_schema.{table} WHERE table_schema = 'edxapp' ORDER BY {what}"
        )
    ]


def test_a_migration_says_what_it_waits_for(bench: Bench) -> None:
    bench.container("mongo").stop()
    under_way = bench.start_job("lms-migrate")
    until("a word", lambda: b"waiting for modulestore" in under_way.logs())
    bench.container("mongo").start()
    assert under_way.wait(timeout=60)["StatusCode"] == 0, under_way.logs()
    under_way.remove()


def test_sigterm_ends_a_job(bench: Bench) -> None:
    bench.container("mongo").stop()
    under_way = bench.start_job(*JOB)
    until("a word", lambda: b"waiting for modulestore" in under_way.logs())
    began = time.monotonic()
    under_way.stop(timeout=20)
    assert time.monotonic() - began < 10
    assert under_way.wait(timeout=5)["StatusCode"] == 143
    assert b"lms-migrate was ended by SIGTERM" in under_way.logs()
    under_way.remove()
    bench.container("mongo").start()
    until("mongo", lambda: bench.is_ready("mongo"))


def test_create_admin_follows_the_secret_and_respects_the_admin(portal: Bench) -> None:
    own = "my own choice 4711"
    browser = Browser(portal, "lms")
    first = portal.secrets["admin-password"]
    assert "Dashboard" in browser.submit("/login", username="admin", password=first).text
    changed = browser.submit("/account/password", old_password=first, new_password1=own, new_password2=own)
    assert "Dashboard" in changed.text
    assert portal.run_job("create-admin")[0] == 0
    assert "Dashboard" in Browser(portal, "lms").submit("/login", username="admin", password=own).text
    portal.secrets["admin-password"] = "Newly-Generated-0815"
    code, log = portal.run_job("create-admin")
    assert code == 0
    assert "set from the secret" in log
    assert "Dashboard" not in Browser(portal, "lms").submit("/login", username="admin", password=own).text
    author(portal)


def test_create_admin_takes_nobody_s_address(portal: Bench, learner: Browser) -> None:
    name = name_of(learner)
    env = settings("lms") | {"ADMIN": {"username": "second", "email": f"{name}@bench.test"}}
    code, log = portal.run_job("create-admin", files={"/openedx/config/lms.env.json": json.dumps(env)})
    assert (code, log) == (
        1,
        f"CommandError: the admin's e-mail {name}@bench.test belongs to user {name}; set another\n",
    )


@pytest.mark.parametrize(
    ("verbs", "code", "message"),
    [
        ((), 64, "no verb given"),
        (("launch",), 64, "unknown verb 'launch'"),
        (("lms", "lms-migrate"), 64, "'lms' stays up"),
    ],
)
def test_a_wrong_command_line(bench: Bench, verbs: tuple[str, ...], code: int, message: str) -> None:
    ended, log = bench.run_job(*verbs)
    assert (ended, log.count("\n")) == (code, 1)
    assert message in log


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("/openedx/config/lms.env.json", None, "lms.env.json: No such file or directory"),
        ("/openedx/config/lms.env.json", "{", "lms.env.json: not valid JSON"),
        ("/openedx/config/lms.auth.json", "{", "lms.auth.json: not valid JSON"),
        ("/openedx/config/lms.auth.json", None, "lms.auth.json: No such file or directory"),
    ],
)
@pytest.mark.parametrize("verb", ["lms", "create-admin"])
def test_a_missing_or_wrong_file(bench: Bench, verb: str, file: str, text: str | None, message: str) -> None:
    ended, log = bench.run_job(verb, files={file: text})
    assert (ended, log.count("\n")) == (78, 1)
    assert message in log


# Pages


def test_every_page_says_that_it_stands_in(portal: Bench, learner: Browser) -> None:
    pages = ["/", "/courses", "/search", "/search?q=x", "/dashboard", "/account/password", "/nowhere"]
    answers = [learner.get(page) for page in pages]
    answers += [Browser(portal, "lms").get(page) for page in ("/login", "/register", "/courses/x/about")]
    answers += [Browser(portal, "cms").get(page) for page in ("/", "/signin", "/login", "/home")]
    answers += [author(portal).get("/home"), Browser(portal, "lms", host="elsewhere.test").get("/")]
    for answer in answers:
        assert (
            answer.text.count("This portal runs a small stand-in for edx-platform, not Open edX itself.") == 1
        ), answer
        assert answer.text.count("<h1>") == 1
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert answer.headers["Referrer-Policy"] == "same-origin"


def test_a_wrong_host_is_refused(portal: Bench) -> None:
    for host in ("elsewhere.test", "10.99.4.1", "lms.bench.test.evil.test"):
        assert Browser(portal, "lms", host=host).get("/heartbeat").status == 400
    assert Browser(portal, "lms", host="lms").get("/heartbeat").status == 200


def test_registration_log_out_log_in(portal: Bench, learner: Browser) -> None:
    name = name_of(learner)
    assert "Log in" in learner.submit("/", action="/logout").text
    assert learner.get("/dashboard").text.count("<h1>Log in</h1>") == 1
    for login in (name, f"{name}@bench.test"):
        again = Browser(portal, "lms").submit("/login", username=login, password=PASSWORD)
        assert f"Dashboard of {name}" in again.text
    assert (
        "Please enter a correct" in Browser(portal, "lms").submit("/login", username=name, password="x").text
    )


@pytest.mark.parametrize(
    ("name", "password", "message"),
    [
        ("admin", PASSWORD, "This user name is taken"),
        ("ADMIN", PASSWORD, "This user name is taken"),
        ("a@b.c", PASSWORD, "Letters without accents"),
        ("weak-one", "password", "too common"),
        ("short-one", "x1!", "too short"),
        ("<b>bold</b>", PASSWORD, "Letters without accents"),
    ],
)
def test_a_registration_that_is_refused(portal: Bench, name: str, password: str, message: str) -> None:
    answer = register(Browser(portal, "lms"), name, password)
    assert message in answer.text
    assert "<b>bold" not in answer.text


def test_names_and_addresses_are_taken_once(portal: Bench) -> None:
    name = f"twice-{random.randrange(10**9)}"
    browsers = [Browser(portal, "lms") for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda browser: register(browser, name), browsers))
    assert sum("Look at your mail" in answer.text for answer in answers) == 1
    assert {answer.status for answer in answers} == {200}


def test_forms_need_their_token(portal: Bench, learner: Browser) -> None:
    stranger = Browser(portal, "lms")
    stranger.get("/login")
    answer = stranger._send("/login", b"username=admin&password=x", {})
    assert answer.status == 403
    assert "Stand-in" in answer.text


def test_behind_tls_the_form_works_and_from_elsewhere_it_does_not(bench: Bench, portal: Bench) -> None:
    """The load balancer says that it was https; the browser then sends an Origin, which must be the portal's own."""
    browser = Browser(portal, "lms")
    login = browser.get("/login")
    token = found_in(r'name="csrfmiddlewaretoken" value="([^"]+)"', login.text)
    body = f"csrfmiddlewaretoken={token}&username=nobody&password=x".encode()
    own = {"Origin": "http://lms.bench.test:8480"}
    assert browser._send("/login", body, own).status == 200
    assert browser._send("/login", body, {"Origin": "http://evil.test"}).status == 403


def test_a_log_in_leads_to_no_other_site(portal: Bench) -> None:
    answer = Browser(portal, "lms").get("/login?next=https://evil.test/")
    assert 'name="next" value=""' in answer.text


def test_an_author_publishes_and_learners_find(portal: Bench, learner: Browser) -> None:
    number = f"N{random.randrange(10**9)}"
    title = f"Zebras & <i>okapis</i> {number}"
    assert "is being published" in create(author(portal), number, title).text
    listed = until("the course list to have it", lambda: number in learner.get("/").text and learner.get("/"))
    assert "<i>okapis" not in listed.text
    results = learner.get(f"/search?q=okapis+{number}")
    assert "1 found" in results.text
    about = learner.get(found_in(r'href="(/courses/[^"]+/about)"', results.text))
    assert about.status == 200
    assert f"About Zebras &amp; &lt;i&gt;okapis&lt;/i&gt; {number}." in about.text
    again = create(author(portal), number, title)
    assert f"There is a course course-v1:bench+{number}+2024_T1 already." in again.text


def test_learners_create_no_courses(portal: Bench, learner: Browser) -> None:
    name = name_of(learner)
    studio = Browser(portal, "cms")
    refused = studio.submit("/login", username=name, password=PASSWORD)
    assert (refused.status, "The studio is for authors" in refused.text) == (403, True)
    assert urlsplit(refused.url).path == "/complete/edx-oauth2/"
    assert urlsplit(studio.get("/home").url).path != "/home"


def test_an_author_who_loses_the_right_is_out_at_once(portal: Bench, learner: Browser) -> None:
    name = name_of(learner)
    portal.sql(f"UPDATE auth_user SET is_staff = 1 WHERE username = '{name}'")
    studio = Browser(portal, "cms")
    assert "New course" in studio.submit("/login", username=name, password=PASSWORD).text
    portal.sql(f"UPDATE auth_user SET is_staff = 0 WHERE username = '{name}'")
    answer = studio._send("/home", b"title=x&org=x&number=x&run=x", {})
    assert answer.status == 403
    assert studio.get("/home").status == 403


@pytest.mark.parametrize("words", ["", "%22", "AND OR NOT", "a*b?(", "\\", "x" * 3000, "%F0%9F%A6%93", "%00"])
def test_any_search_is_answered(portal: Bench, words: str) -> None:
    assert Browser(portal, "lms").get("/search?q=" + words.replace(" ", "+")).status == 200


def test_a_worker_makes_the_report(learner: Browser) -> None:
    learner.submit("/dashboard", action="/dashboard/report")
    assert "to be graded in" in until("the report", lambda: report(learner))


# Mail


def test_an_account_waits_for_its_mail(portal: Bench) -> None:
    name = f"new-{random.randrange(10**9)}"
    address = f"{name}@bench.test"
    browser = Browser(portal, "lms")
    assert "Look at your mail" in register(browser, name).text
    first = portal.mailed_link(address)
    mail = portal.mails(address)[0]
    assert "From: portal@bench.test" in mail
    assert f"To: {address}" in mail
    # Nobody without the password learns that there is such an account, or sends it mail.
    assert "Please enter a correct" in browser.submit("/login", username=name, password="x").text
    assert "Log out" not in browser.get("/").text
    assert "Look at your mail" in browser.submit("/login", username=address, password=PASSWORD).text
    second = portal.mailed_link(address, since=1)
    assert browser.get(second.removesuffix(second[-3:]) + "abc").status == 410
    assert "Your account is active" in browser.submit(first).text
    assert [browser.get(link).status for link in (first, second)] == [410, 410]
    assert f"Dashboard of {name}" in browser.submit("/login", username=name, password=PASSWORD).text
    # An account that an admin has closed stays closed.
    portal.sql(f"UPDATE auth_user SET is_active = 0 WHERE username = '{name}'")
    assert Browser(portal, "lms").get(second).status == 410
    again = Browser(portal, "lms").submit("/login", username=name, password=PASSWORD)
    assert "Please enter a correct" in again.text
    assert len(portal.mails(address)) == 2


def test_a_mail_waits_for_the_mailer(portal: Bench) -> None:
    name = f"patient-{random.randrange(10**9)}"
    portal.container("mailer").stop(timeout=1)
    try:
        assert "Look at your mail" in register(Browser(portal, "lms"), name).text
        until("the worker to have tried", lambda: "accounts.tasks.activation" in portal.logs("lms-workers"))
    finally:
        portal.container("mailer").start()
    assert (
        "Your account is active"
        in Browser(portal, "lms").submit(portal.mailed_link(f"{name}@bench.test")).text
    )


def test_a_new_password_by_mail(portal: Bench, learner: Browser) -> None:
    name, new = name_of(learner), "another horse, another staple"
    address = f"{name}@bench.test"
    stranger = Browser(portal, "lms")
    answers = [
        stranger.submit("/password_reset/", email=each).text for each in (address, "nobody@bench.test")
    ]
    assert all("a mail is on its way" in each for each in answers)
    link = portal.mailed_link(address, since=1)
    # Who only looks at a link, as scanners of mails do, neither has it nor uses it up.
    scanner = Browser(portal, "lms")
    assert [("Continue" in scanner.get(link).text, scanner.get(link).status) for _ in range(2)] == [
        (True, 200)
    ] * 2
    form = stranger.submit(link)
    assert form.url.endswith("/set-password/"), form.url
    assert "The two password fields" in stranger.submit(form.url, new_password1=new, new_password2="x").text
    # From the button on it is the first's, who may come back to it.
    late = Browser(portal, "lms")
    refused = late.submit(link)
    assert (refused.status, "opened elsewhere" in refused.text) == (410, True)
    assert "This link is no longer good" in late.get(form.url).text
    assert stranger.submit(link).url == form.url
    assert "Your new password is set" in stranger.submit(form.url, new_password1=new, new_password2=new).text
    assert f"Dashboard of {name}" in stranger.get("/dashboard").text
    other = Browser(portal, "lms")
    assert "no longer good" in other.get(link).text
    assert "Please enter a correct" in other.submit("/login", username=name, password=PASSWORD).text
    assert f"Dashboard of {name}" in other.submit("/login", username=name, password=new).text
    # Whoever was logged in with the old password is out.
    assert "Log out" not in learner.get("/").text
    assert portal.mails("nobody@bench.test") == []


def test_of_two_that_open_a_link_at_once_one_has_it(portal: Bench, learner: Browser) -> None:
    address = f"{name_of(learner)}@bench.test"
    learner.submit("/password_reset/", email=address)
    link = portal.mailed_link(address, since=1)
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: Browser(portal, "lms").submit(link), range(6)))
    assert sorted(answer.status for answer in answers) == [200] + [410] * 5


def test_no_log_has_what_a_link_or_a_query_holds(portal: Bench, learner: Browser) -> None:
    """Links of mails, OAuth's code and state, addresses: whoever reads logs gets none, whatever became of the request."""
    name = name_of(learner)
    address = f"{name}@bench.test"
    learner.submit("/password_reset/", email=address)
    link = portal.mailed_link(address, since=1)
    token = urlsplit(link).path.rstrip("/").rpartition("/")[2]
    activation = urlsplit(portal.mailed_link(address)).path.rpartition("/")[2]
    studio = author(portal)
    for verb in ("lms", "cms"):
        browser = Browser(portal, verb)
        for path in (
            f"/login?next=/password_reset_confirm/x/{token}/&email={address}",
            f"/nowhere/{token}?token={token}",
            f"/complete/edx-oauth2/?code={token}&state={token}",
            f"/courses/{token}%20{address}/about",
            f"/activate/MQ/{token}",
        ):
            browser.get(path, Referer=link)
        browser.get("/", Host=f"{token}.evil.test")
        assert browser._send(f"/password_reset_confirm/MQ/{token}/", b"x=1", {}).status in (403, 404, 410)
    Browser(portal, "lms").submit(link)
    # No request at all, and one that fails within.
    with socket.create_connection((portal.address("lms"), 8000), timeout=20) as talk:
        talk.sendall(f"GET /{token}\x00 {token}\r\n\r\n".encode())
        assert b" 400 " in talk.recv(200)
    with paused(portal, "mysql"):
        assert Browser(portal, "lms").get(link).status == 503
    for role in ("lms", "cms", "lms-workers", "cms-workers"):
        log = portal.logs(role)
        for secret in (token, activation, address, "code=", "state="):
            assert secret not in log, f"{role}: {[line for line in log.splitlines() if secret in line]}"
    for role, line in (
        ("lms", "GET /password_reset_confirm/<uidb64>/<token>/ 200"),
        ("cms", "GET /complete/edx-oauth2/ 302"),
    ):
        until(f"{line} in the log of {role}", partial(in_log, portal, role, line))
    assert "New course" in studio.get("/home").text


def test_a_refusal_for_good_is_not_tried_again(portal: Bench) -> None:
    """The sink refuses refused@ for good and busy@ once."""
    names = {each: f"{each}-{random.randrange(10**9)}" for each in ("refused", "busy")}
    for name in names.values():
        assert "Look at your mail" in register(Browser(portal, "lms"), name).text
    assert portal.mailed_link(f"{names['busy']}@bench.test")
    until("the refusal to be said", lambda: "is refused for good: 550 not here" in portal.logs("lms-workers"))
    lines = [line for line in portal.logs("mailer").splitlines() if "refused" in line]
    assert lines == [json.dumps({"refused": f"{names['refused']}@bench.test"})]
    assert "@bench.test" not in portal.logs("lms-workers")


@pytest.mark.parametrize("kind", ["headers", "body", "idle"])
def test_slow_clients_inside_do_not_keep_the_threads(portal: Bench, kind: str) -> None:
    """As many as there are threads, thrice; a learner's page comes within the limit that each of them has."""
    address = (portal.address("lms"), 8000)
    begun = {
        "headers": b"POST /login HTTP/1.1\r\nHost: lms.bench.test\r\nX: ",
        "body": b"POST /login HTTP/1.1\r\nHost: lms.bench.test\r\nContent-Length: 100000\r\n\r\n",
        "idle": b"",
    }[kind]
    open_ = [socket.create_connection(address, timeout=20) for _ in range(24)]
    try:
        for each in open_:
            each.sendall(begun)
        began = time.monotonic()
        until("a page", lambda: answered(portal), 90)
        assert time.monotonic() - began < 75
    finally:
        for each in open_:
            each.close()


def answered(portal: Bench) -> bool:
    """Whether a page comes, without waiting for it long."""
    connection = http.client.HTTPConnection(portal.address("lms"), 8000, timeout=5)
    try:
        connection.request("GET", "/heartbeat", headers={"Host": "lms.bench.test"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def test_without_the_broker_a_registration_is_kept_and_says_so(portal: Bench) -> None:
    name = f"cut-off-{random.randrange(10**9)}"
    browser = Browser(portal, "lms")
    portal.container("rabbitmq").stop()
    try:
        assert "could not be sent just now" in register(browser, name).text
        reset = browser.submit("/password_reset/", email="nobody@bench.test")
        assert "could not be sent just now" in reset.text
    finally:
        portal.container("rabbitmq").start()
    until("the broker", lambda: Browser(portal, "lms").get("/heartbeat?extended").status == 200)
    assert "Look at your mail" in browser.submit("/login", username=name, password=PASSWORD).text
    assert "Your account is active" in browser.submit(portal.mailed_link(f"{name}@bench.test")).text


# Single sign-on


def test_an_author_comes_in_through_the_lms(portal: Bench) -> None:
    studio = Browser(portal, "cms")
    page = studio.get("/home")
    assert (urlsplit(page.url).hostname, urlsplit(page.url).path) == ("lms.bench.test", "/login")
    home = studio.submit("/home", username="admin", password=portal.secrets["admin-password"])
    assert (urlsplit(home.url).hostname, urlsplit(home.url).path) == ("cms.bench.test", "/home")
    # Logged out here, and still in at the lms: the next log-in asks nothing.
    out = studio.submit("/home", action="/logout")
    assert "Log in to the studio" in out.text
    assert "Log out admin" in studio.get("http://lms.bench.test:8480/dashboard").text
    assert "New course" in studio.get("/login").text


def test_a_log_in_that_was_tampered_with_is_refused(portal: Bench) -> None:
    admin = author(portal)
    admin.submit("/home", action="/logout")
    stranger = Browser(portal, "cms")
    for path in ("?state=x&code=y", "?error=access_denied", "", "?code=y"):
        assert stranger.get(f"/complete/edx-oauth2/{path}").status == 403
    # A code that somebody else's log-in was given does not log this browser in.
    next_url = parse_qs(urlsplit(stranger.get("/login?next=https://evil.test/").url).query)["next"][0]
    words = {key: value[0] for key, value in parse_qs(urlsplit(next_url).query).items()}
    assert words["redirect_uri"] == "http://cms.bench.test:8480/complete/edx-oauth2/"
    assert words["code_challenge_method"] == "S256"
    answer = admin.get(f"http://lms.bench.test:8480{next_url}")
    assert (answer.status, "begun in another browser" in answer.text) == (403, True)
    # The code is spent or bound to another verifier by now, whoever has the right state.
    spent = stranger.get(f"/complete/edx-oauth2/?state={words['state']}&code=stolen")
    assert (spent.status, "did not answer" in spent.text) == (403, True)
    assert stranger.get(f"/complete/edx-oauth2/?state={words['state']}&code=stolen").status == 403
    for change in (
        {"redirect_uri": "http://evil.test/"},
        {"client_id": "nobody"},
        {"code_challenge": ""},
        {"response_type": "token"},
    ):
        parameters = {key: value for key, value in (words | change).items() if value}
        refused = admin.get(f"http://lms.bench.test:8480/oauth2/authorize?{urlencode(parameters)}")
        assert "New course" not in refused.text
        assert refused.status in (400, 403), refused
        assert "Stand-in" in refused.text


def test_the_lms_tells_strangers_nothing(portal: Bench) -> None:
    stranger = Browser(portal, "lms")
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "JWT x"}):
        assert stranger.get("/api/user/v1/me", **headers).status == 401
    body = b"grant_type=authorization_code&code=x&client_id=cms-sso&client_secret=wrong"
    assert stranger._send("/oauth2/access_token", body, {}).status in (400, 401)


def test_oauth_sync_follows_the_settings(portal: Bench) -> None:
    assert portal.run_job("oauth-sync") == (0, "client cms-sso: unchanged\n")
    portal.secrets["cms-sso-secret"] = "newly-generated-0815"
    assert portal.run_job("oauth-sync") == (0, "client cms-sso: client_secret\n")
    refused = Browser(portal, "cms").submit(
        "/login", username="admin", password=portal.secrets["admin-password"]
    )
    assert (refused.status, "did not answer" in refused.text) == (403, True)
    portal.secrets["cms-sso-secret"] = SECRETS["cms-sso-secret"]
    assert portal.run_job("oauth-sync")[0] == 0
    author(portal)


# Courses


def published(portal: Bench, learner: Browser, title: str) -> str:
    """A course that learners see; its key."""
    number = f"C{random.randrange(10**9)}"
    create(author(portal), number, title)
    until("the course list to have it", lambda: number in learner.get("/").text)
    return f"course-v1:bench+{number}+2024_T1"


def test_a_course_image_lands_on_the_drive(portal: Bench, learner: Browser) -> None:
    key = published(portal, learner, "Pictures")
    studio = author(portal)
    images = []
    for picture in (png(2, 2), png(3, 3)):
        assert "see the new image" in studio.upload(f"/course/{key}/image", "../../evil.html", picture).text
        [src] = re.findall(
            r'src="/media/(course_images/[0-9a-f]{32}\.png)"', learner.get(f"/courses/{key}/about").text
        )
        images.append(src)
        # nginx reads it as another user.
        code, stat = portal.exec_in("lms", "stat", "-c", "%a %s", f"/openedx/media/{src}")
        assert (code, stat) == (0, f"644 {len(picture)}\n")
    assert portal.exec_in("cms", "ls", "/openedx/media/course_images")[1].split() == [images[1].split("/")[1]]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not a PNG"),
        ("a.png", b"GIF89a\1\0\1\0\0\0\0;", "not a PNG"),
        ("a.png", png()[:40], "not a PNG"),
        ("a.png", png() + b"x" * (2 * 2**20), "larger than 2 MiB"),
        ("a.png", b"x" * (8 * 2**20), "larger than 2 MiB"),
        ("a.png", png(20_000, 20_000)[:500], "more than 16,000,000 pixels"),
        ("a.png", b"", "empty"),
    ],
)
def test_an_image_that_is_refused(
    portal: Bench, learner: Browser, name: str, content: bytes, message: str
) -> None:
    before = portal.exec_in("cms", "ls", "/openedx/media/course_images")
    number = f"I{random.randrange(10**9)}"
    fields = {"title": "x", "org": "bench", "number": number, "run": "r", "description": "", "lesson": ""}
    answer = author(portal).upload("/home", name, content, **fields)
    assert (answer.status, message in answer.text) == (200, True), answer.text
    assert portal.exec_in("cms", "ls", "/openedx/media/course_images") == before


def test_a_learner_enrols_and_completes(portal: Bench, learner: Browser) -> None:
    key = published(portal, learner, "Mosses & <b>ferns</b>")
    assert "Enrol first" in learner.get(f"/courses/{key}/course/").text
    assert "Log in to enrol" in Browser(portal, "lms").get(f"/courses/{key}/about").text
    for _ in range(2):
        inside = learner.submit(f"/courses/{key}/about", action=f"/courses/{key}/enroll")
        assert "0 of 1 units done" in inside.text
    assert "under way" in learner.get("/dashboard").text
    done = learner.submit(f"/courses/{key}/course/", action=f"/courses/{key}/complete")
    assert "1 of 1 units done" in done.text
    assert "Mark as done" not in done.text
    dashboard = learner.get("/dashboard").text
    assert "Mosses &amp; &lt;b&gt;ferns&lt;/b&gt;</a>: done on" in dashboard
    assert dashboard.count('/course/"') == 1


@pytest.fixture(scope="module")
def forum(portal: Bench) -> Bench:
    """The portal with the forum service, ready."""
    portal.start_store("forum")
    until("forum to be ready", lambda: portal.is_ready("forum"))
    return portal


def test_learners_discuss(forum: Bench, learner: Browser) -> None:
    key = published(forum, learner, "Talk")
    pages = f"/courses/{key}/discussion/forum/"
    assert "Enrol first" in learner.get(pages).text
    learner.submit(f"/courses/{key}/about", action=f"/courses/{key}/enroll")
    assert "Nobody has posted yet" in learner.get(pages).text
    posted = learner.submit(pages, title="Why <moss>?", body="It is & stays\n\n<script>green</script>.")
    assert "<h1>Why &lt;moss&gt;?</h1>" in posted.text
    assert "&lt;script&gt;green" in posted.text
    assert "writes:" in posted.text
    thread = urlsplit(posted.url).path
    answered = learner.submit(thread, body="Because of the rain.")
    assert "Because of the rain." in answered.text
    listed = learner.get(pages).text
    assert f'href="{thread}"' in listed
    assert "1 answer<" in listed
    until("the search to find it", lambda: "1 found" in learner.get(f"{pages}?q=moss").text)
    assert "0 found" in learner.get(f"{pages}?q=volcano").text
    # Another course's page does not show it, and nobody posts to it from there.
    other = published(forum, learner, "Elsewhere")
    learner.submit(f"/courses/{other}/about", action=f"/courses/{other}/enroll")
    elsewhere = thread.replace(key, other)
    assert learner.get(elsewhere).status == 404
    assert learner.get(f"{pages}threads/nothing").status == 404
    assert learner.get(f"{pages}threads/..%2F..%2Fusers").status == 404


def test_without_the_forum_only_the_discussion_is_away(forum: Bench, learner: Browser) -> None:
    key = published(forum, learner, "Silence")
    learner.submit(f"/courses/{key}/about", action=f"/courses/{key}/enroll")
    pages = f"/courses/{key}/discussion/forum/"
    for way in ("stopped", "silent"):
        container = forum.container("forum")
        token = learner.get(pages)
        container.stop() if way == "stopped" else forum.pause("forum")
        try:
            body = urlencode(
                {"title": "t", "body": "My <words>", "csrfmiddlewaretoken": learner._token(token)}
            )
            for away in (learner.get(pages), learner._send(pages, body.encode(), {})):
                assert (away.status, "The discussion is away" in away.text) == (503, True)
                assert away.seconds < 10
            # What was written is not lost.
            assert "My &lt;words&gt;" in away.text
            assert learner.get(f"{pages}threads/x").status == 503
            assert learner.get(f"/courses/{key}/course/").status == 200
        finally:
            container.start() if way == "stopped" else container.unpause()
        until("the forum", lambda: learner.get(pages).status == 200)


# Theme


def test_pages_wear_the_portal_s_theme(portal: Bench, learner: Browser) -> None:
    for page in (learner.get("/"), author(portal).get("/home"), Browser(portal, "lms").get("/login")):
        assert '<a href="https://library.bench.test/">Library &amp; &lt;more&gt;</a>' in page.text
        assert '<a href="/imprint">Imprint</a>' in page.text
        assert "data:x" not in page.text
        assert "width=device-width" in page.text
        assert "Bench &amp; Sons&#x27; &lt;Academy&gt;" in page.text
        sheet = found_in(r'href="(/theme\.css\?\w+)"', page.text)
        answer = Browser(portal, "lms").get(sheet)
        assert answer.headers["Content-Type"].startswith("text/css")
        assert "--brand: #ffcc00; --on-brand: #000000" in answer.text
        assert "immutable" in answer.headers["Cache-Control"]
    assert "left out: FOOTER_NAVIGATION_LINKS[1].url is 'data:x', for example" in portal.logs("lms")


def test_a_portal_without_activation_and_with_a_logo(portal: Bench) -> None:
    env = settings("lms") | {
        "FEATURES": {"SKIP_EMAIL_VALIDATION": True},
        "LOGO_URL": "https://img.bench.test/logo.svg",
        "PLATFORM_DESCRIPTION": "Learning by <doing>",
    }
    portal.start("lms", files={"/openedx/config/lms.env.json": json.dumps(env, indent=2)})
    until("lms to be ready", lambda: portal.is_ready("lms"))
    try:
        name = f"quick-{random.randrange(10**9)}"
        assert f"Dashboard of {name}" in register(Browser(portal, "lms"), name).text
        page = Browser(portal, "lms").get("/")
        assert 'src="https://img.bench.test/logo.svg"' in page.text
        assert "Learning by &lt;doing&gt;" in page.text
        assert "img-src 'self' https://img.bench.test" in page.headers["Content-Security-Policy"]
        assert portal.mails(f"{name}@bench.test") == []
    finally:
        portal.start_ready("lms")


# Health


def test_heartbeat_has_open_edx_s_shape(portal: Bench) -> None:
    for verb in ("lms", "cms"):
        answer = Browser(portal, verb).get("/heartbeat")
        good = {"status": True, "message": "OK"}
        assert (answer.status, json.loads(answer.text)) == (200, {"modulestore": good, "sql": good})
        extended = Browser(portal, verb).get("/heartbeat?extended")
        assert set(json.loads(extended.text)) == {
            "modulestore", "sql", "memcached", "elasticsearch", "rabbitmq", "redis", "celery",
        }  # fmt: skip
        assert extended.status == 200, extended.text


@pytest.mark.parametrize("way", ["stopped", pytest.param("silent", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("store", "lines", "ready"),
    [
        ("mysql", {"sql"}, False),
        ("mongo", {"modulestore"}, False),
        ("memcached", {"memcached"}, True),
        ("elasticsearch", {"elasticsearch"}, True),
        ("redis", {"redis"}, True),
        ("rabbitmq", {"rabbitmq", "celery"}, True),
        ("lms-workers", {"celery"}, True),
    ],
)
def test_a_store_that_is_away_is_named_and_taken_back(
    portal: Bench, learner: Browser, store: str, lines: set[str], ready: bool, way: str
) -> None:
    container = portal.container(store)
    browser = Browser(portal, "lms")
    if way == "stopped":
        container.stop()
    else:
        portal.pause(store)
    try:
        for _ in range(2):
            answer = browser.get("/heartbeat?extended")
            heartbeat = json.loads(answer.text)
            assert answer.status == 503
            assert {name for name, each in heartbeat.items() if not each["status"]} == lines, heartbeat
            assert answer.seconds < 6
        quick = browser.get("/heartbeat")
        assert (quick.status, quick.seconds < 5) == (200 if ready else 503, True)
        assert browser.get("/nowhere").status == 404
        page = learner.get("/dashboard")
        assert page.status == (503 if store == "mysql" else 200), page
        assert page.seconds < 15
    finally:
        (container.start if way == "stopped" else container.unpause)()
    until("all to be well again", lambda: browser.get("/heartbeat?extended").status == 200)
    assert "Dashboard of" in learner.get("/dashboard").text


def test_without_the_broker_nothing_is_lost_and_the_page_says_so(portal: Bench, learner: Browser) -> None:
    number = f"B{random.randrange(10**9)}"
    studio = author(portal)
    portal.container("rabbitmq").stop()
    try:
        created = create(studio, number, f"Kept {number}")
        assert "could not be published just now" in created.text
        assert created.seconds < 15
        assert "could not be asked for" in learner.submit("/dashboard", action="/dashboard/report").text
    finally:
        portal.container("rabbitmq").start()
    until("the broker", lambda: Browser(portal, "cms").get("/heartbeat?extended").status == 200)
    studio.submit("/home", action=f"/course/course-v1:bench+{number}+2024_T1/publish")
    until("the course list to have it", lambda: number in learner.get("/").text)


def test_a_course_waits_for_the_search_to_come_back(portal: Bench, learner: Browser) -> None:
    number = f"E{random.randrange(10**9)}"
    portal.container("elasticsearch").stop()
    try:
        create(author(portal), number, f"Patient {number}")
        away = learner.get("/search?q=patient")
        assert (away.status, "The search is away" in away.text) == (503, True)
    finally:
        portal.container("elasticsearch").start()
    until("the course list to have it", lambda: number in learner.get("/").text)
    assert "1 found" in learner.get(f"/search?q={number}").text


def test_probes_tell_ready_from_alive(portal: Bench) -> None:
    assert [portal.probe(name) for name in ("lms", "cms", "lms-workers", "cms-workers")] == [0, 0, 0, 0]
    portal.container("mongo").stop()
    try:
        assert [portal.probe(name) for name in ("lms", "lms-workers")] == [1, 0]
    finally:
        portal.container("mongo").start()
    portal.container("rabbitmq").stop()
    try:
        until("the worker to be not ready", lambda: portal.probe("lms-workers") == 1, 40)
        assert portal.probe("lms") == 0
    finally:
        portal.container("rabbitmq").start()
    for name in ("lms", "lms-workers"):
        until(f"{name} to be ready again", partial(portal.probe_says_ready, name))


def test_probes_leave_no_line_in_the_log(portal: Bench) -> None:
    until("lms to be ready", lambda: portal.probe("lms") == 0)
    before = portal.logs("lms")
    assert portal.probe("lms") == 0
    assert portal.logs("lms") == before


def test_roles_start_before_their_stores(portal: Bench) -> None:
    for store in ("mysql", "mongo", "rabbitmq"):
        portal.container(store).stop()
    for verb in ("lms", "lms-workers"):
        portal.start(verb)
    until("lms to answer", lambda: portal.probe("lms") == 1 and "503" in lms_probe(portal))
    assert portal.container("lms-workers").status == "running"
    for store in ("mysql", "mongo", "rabbitmq"):
        portal.container(store).start()
    for verb in ("lms", "lms-workers"):
        until(f"{verb} to be ready", partial(portal.is_ready, verb))


def lms_probe(bench: Bench) -> str:
    return bench.exec_in("lms", "/usr/local/bin/probe", "lms")[1]


# Ends


def test_without_memcached_nobody_is_logged_out(portal: Bench, learner: Browser) -> None:
    portal.container("memcached").restart()
    assert "Dashboard of" in learner.get("/dashboard").text


def test_sigterm_lets_a_request_end(portal: Bench) -> None:
    browser = Browser(portal, "lms")
    with ThreadPoolExecutor(1) as threads:
        with paused(portal, "mongo"):
            answer = threads.submit(browser.get, "/")
            until("the request to be there", lambda: connections(portal, "mongo"), 10)
            portal.container("lms").kill("SIGTERM")
            until("lms to have heard", lambda: "Handling signal: term" in portal.logs("lms"), 10)
        assert answer.result().status == 200
    assert portal.container("lms").wait(timeout=30)["StatusCode"] == 0
    portal.start_ready("lms")


def connections(portal: Bench, store: str) -> bool:
    """Whether the lms has a connection to a store."""
    address = portal.address(store).split(".")
    hex_address = "".join(f"{int(part):02X}" for part in reversed(address))
    return hex_address in portal.exec_in("lms", "cat", "/proc/net/tcp")[1]


def test_a_worker_ends_its_task_before_it_ends(portal: Bench, learner: Browser) -> None:
    with paused(portal, "mongo"):
        learner.submit("/dashboard", action="/dashboard/report")
        until("the task to be taken", lambda: "received" in portal.logs("lms-workers").splitlines()[-1], 10)
        portal.container("lms-workers").kill("SIGTERM")
        until("the worker to have heard", lambda: "Warm shutdown" in portal.logs("lms-workers"), 10)
    assert portal.container("lms-workers").wait(timeout=30)["StatusCode"] == 0
    assert "to be graded in" in (report(learner) or "")
    portal.start_ready("lms-workers")


def test_a_task_beyond_its_grace_is_run_once_more_by_the_next_worker(portal: Bench, learner: Browser) -> None:
    """As a redeploy does it: SIGTERM, the grace, SIGKILL, a new container."""
    with paused(portal, "mongo"):
        learner.submit("/dashboard", action="/dashboard/report")
        until("the task to be taken", lambda: "received" in portal.logs("lms-workers").splitlines()[-1], 10)
        portal.container("lms-workers").stop(timeout=3)
        log = portal.logs("lms-workers")
        assert ("Warm shutdown" in log, "succeeded" in log.split("Warm shutdown")[-1]) == (True, False)
        assert portal.container("lms-workers").wait()["StatusCode"] == 137
    assert report(learner) is None
    portal.start_ready("lms-workers")
    assert "to be graded in" in until("the report", lambda: report(learner))

    def ended() -> set[str]:
        return set(re.findall(r"grade_report\[([0-9a-f-]+)\] succeeded", portal.logs("lms-workers")))

    # One task: a message may be published twice where the broker's receipt was late, under the same number. The worker
    # logs the end of a task after the task has written its report.
    assert len(until("the end of the task in the log", ended)) == 1, portal.logs("lms-workers")


@pytest.fixture
def grouped(portal: Bench) -> Iterator[Bench]:
    """The lms's workers in two containers, high_mem in one of its own."""
    portal.start("lms-workers", env={"OPENEDX_QUEUES": "default,high"})
    portal.start("lms-workers", HEAVY, env={"OPENEDX_QUEUES": "high_mem"})
    for name in ("lms-workers", HEAVY):
        until(f"{name} to be ready", partial(portal.is_ready, name))
    yield portal
    portal.container(HEAVY).remove(force=True, v=True)
    portal.start_ready("lms-workers")


def test_a_group_of_workers_takes_its_queues_alone(grouped: Bench, learner: Browser) -> None:
    """A grade report, of high_mem, is the group's; the next one finds a process anew."""
    before = processes(grouped)
    with paused(grouped, "mongo"):
        learner.submit("/dashboard", action="/dashboard/report")
        until("the task to be taken", lambda: "received" in grouped.logs(HEAVY).splitlines()[-1], 10)
        assert [grouped.probe(name) for name in ("lms-workers", HEAVY)] == [0, 0]
    assert "to be graded in" in until("the report", lambda: report(learner))
    until("a new process", lambda: not before & processes(grouped))
    assert len(before) == 1
    grouped.container(HEAVY).stop()
    learner.submit("/dashboard", action="/dashboard/report")
    assert report(learner) is None
    grouped.container(HEAVY).start()
    assert "to be graded in" in until("the report", lambda: report(learner))
    assert "grade_report[" not in grouped.logs("lms-workers")


def processes(portal: Bench) -> set[str]:
    """The processes of the group that do tasks: all but the oldest."""
    rows = portal.container(HEAVY).top(ps_args="-o pid,args")["Processes"]
    return {pid for pid, words in rows if "celery" in words} - {min(rows, key=lambda each: int(each[0]))[0]}


def test_a_killed_worker_s_task_is_run_again(portal: Bench, learner: Browser) -> None:
    with paused(portal, "mongo"):
        learner.submit("/dashboard", action="/dashboard/report")
        until("the task to be taken", lambda: "received" in portal.logs("lms-workers").splitlines()[-1], 10)
        portal.container("lms-workers").kill()
    assert report(learner) is None
    portal.start_ready("lms-workers")
    assert "to be graded in" in until("the report", lambda: report(learner))


def test_queued_tasks_survive_the_broker_s_kill(portal: Bench, learner: Browser) -> None:
    portal.container("lms-workers").stop()
    learner.submit("/dashboard", action="/dashboard/report")
    portal.container("rabbitmq").kill()
    portal.container("rabbitmq").start()
    portal.start_ready("lms-workers")
    assert "to be graded in" in until("the report", lambda: report(learner))


def test_memory_and_secrets_at_the_end(portal: Bench) -> None:
    """After all of the above: what the roles hold, and that no secret has been said anywhere."""
    roles = ("lms", "cms", "lms-workers", "cms-workers")
    used = {name: portal.working_set(name) for name in roles}
    print({name: f"{mib:.0f} MiB" for name, mib in used.items()}, f"{sum(used.values()):.0f} MiB together")
    assert sum(used.values()) <= MEMORY_MIB, used
    for name in roles:
        log = portal.logs(name) + json.dumps(portal.container(name).attrs)
        assert "Traceback" not in log, log[log.index("Traceback") - 500 :][:3000]
        for secret in SECRETS.values():
            assert secret not in log, name
