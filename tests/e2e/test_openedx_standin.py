"""The stand-in for edx-platform on the real data stores: the contract of docs/images.md, role by role."""

import json
import random
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import docker
import pytest

from automation import images
from tests.e2e.standin_bench import ROLES, SECRETS, Bench, Browser, settings, until

pytestmark = pytest.mark.e2e

JOB = ("lms-migrate", "cms-migrate", "lms-assets", "create-admin")
PASSWORD = "correct horse battery staple"
KILLS = 6
HEAVY = "lms-workers-heavy"
# Of the four roles together, idle after use.
MEMORY_MIB = 420


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """Six data stores, ready; migrated."""
    client = docker.from_env(timeout=180)
    try:
        with Bench(client, images.build([*ROLES, "openedx-standin"])) as made:
            code, log = made.job(*JOB)
            assert code == 0, log
            yield made
    finally:
        client.close()


@pytest.fixture(scope="module")
def portal(bench: Bench) -> Bench:
    """The four roles, ready."""
    bench.serve("lms", "cms", "lms-workers", "cms-workers")
    return bench


@pytest.fixture
def learner(portal: Bench) -> Browser:
    """A learner who has just registered."""
    browser = Browser(portal, "lms")
    name = f"learner-{random.randrange(10**9)}"
    answer = register(browser, name)
    assert answer.status == 200, answer.text
    assert f"Dashboard of {name}" in answer.text
    return browser


def register(browser: Browser, name: str, password: str = PASSWORD) -> object:
    return browser.submit(
        "/register", email=f"{name}@bench.test", username=name, password1=password, password2=password
    )


def author(portal: Bench) -> Browser:
    browser = Browser(portal, "cms")
    answer = browser.submit("/login", username="admin@bench.test", password=portal.secrets["admin-password"])
    assert "New course" in answer.text, answer.text
    return browser


def create(browser: Browser, number: str, title: str) -> object:
    return browser.submit(
        "/home", title=title, org="bench", number=number, run="2024_T1", description=f"About {title}."
    )


def report(learner: Browser) -> str | None:
    """What the dashboard says of a grade report that is done."""
    found = re.search(r"<p>Done at [^<]*</p>", learner.get("/dashboard").text)
    return found[0] if found else None


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
    code, log = bench.job(*JOB)
    assert code == 0, log
    assert "No migrations to apply" in log
    assert "lms-assets: 0 files copied" in log
    assert "admin admin: password left as it is" in log


def test_the_first_failing_verb_ends_the_chain(bench: Bench) -> None:
    broken = settings("lms") | {"STATIC_ROOT": "/proc/nowhere"}
    files = {"/openedx/config/lms.env.json": json.dumps(broken)}
    code, log = bench.job("lms-assets", "create-admin", files=files)
    assert code == 1
    assert "lms-assets: /proc/nowhere" in log
    assert "admin" not in log


def test_two_migrations_at_once_take_turns(bench: Bench) -> None:
    bench.sql(
        "DROP DATABASE edxapp; CREATE DATABASE edxapp CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
        "mysql",
    )
    with ThreadPoolExecutor(2) as threads:
        first = bench.begin_job("lms-migrate")
        first.rename(f"{first.name}-first")
        code, log = threads.submit(bench.job, *JOB).result()
    assert first.wait(timeout=60)["StatusCode"] == 0, first.logs()
    first.remove()
    assert code == 0, log


def test_a_migration_killed_half_way_converges(bench: Bench) -> None:
    """Whatever statement the kill falls on, the next run ends with the very schema that an undisturbed run makes."""
    wanted = schema(bench)
    for _ in range(KILLS):
        bench.sql(
            "DROP DATABASE edxapp; CREATE DATABASE edxapp CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
            "mysql",
        )
        under_way = bench.begin_job("lms-migrate")
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
        code, log = bench.job("lms-migrate")
        assert code == 0, f"killed with {left}: {log}"
        assert schema(bench) == wanted
    assert bench.job(*JOB)[0] == 0


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
    under_way = bench.begin_job("lms-migrate")
    until("a word", lambda: b"waiting for modulestore" in under_way.logs())
    bench.container("mongo").start()
    assert under_way.wait(timeout=60)["StatusCode"] == 0, under_way.logs()
    under_way.remove()


def test_sigterm_ends_a_job(bench: Bench) -> None:
    bench.container("mongo").stop()
    under_way = bench.begin_job(*JOB)
    until("a word", lambda: b"waiting for modulestore" in under_way.logs())
    began = time.monotonic()
    under_way.stop(timeout=20)
    assert time.monotonic() - began < 10
    assert under_way.wait(timeout=5)["StatusCode"] == 143
    assert b"lms-migrate was ended by SIGTERM" in under_way.logs()
    under_way.remove()
    bench.container("mongo").start()
    until("mongo", lambda: bench.answers("mongo"))


def test_create_admin_follows_the_secret_and_respects_the_admin(portal: Bench) -> None:
    own = "my own choice 4711"
    browser = Browser(portal, "lms")
    first = portal.secrets["admin-password"]
    assert "Dashboard" in browser.submit("/login", username="admin", password=first).text
    changed = browser.submit("/account/password", old_password=first, new_password1=own, new_password2=own)
    assert "Dashboard" in changed.text
    assert portal.job("create-admin")[0] == 0
    assert "Dashboard" in Browser(portal, "lms").submit("/login", username="admin", password=own).text
    portal.secrets["admin-password"] = "Newly-Generated-0815"
    code, log = portal.job("create-admin")
    assert code == 0
    assert "set from the secret" in log
    assert "Dashboard" not in Browser(portal, "lms").submit("/login", username="admin", password=own).text
    author(portal)


def test_create_admin_takes_nobody_s_address(portal: Bench, learner: Browser) -> None:
    name = re.search(r"Log out ([\w-]+)", learner.get("/").text)[1]
    told = settings("lms") | {"ADMIN": {"username": "second", "email": f"{name}@bench.test"}}
    code, log = portal.job("create-admin", files={"/openedx/config/lms.env.json": json.dumps(told)})
    assert (code, log) == (
        1,
        f"CommandError: the admin's e-mail {name}@bench.test is that of the user {name}; give another\n",
    )


@pytest.mark.parametrize(
    ("verbs", "code", "told"),
    [
        ((), 64, "no verb given"),
        (("launch",), 64, "unknown verb 'launch'"),
        (("lms", "lms-migrate"), 64, "'lms' stays up"),
    ],
)
def test_a_wrong_command_line(bench: Bench, verbs: tuple[str, ...], code: int, told: str) -> None:
    ended, log = bench.job(*verbs)
    assert (ended, log.count("\n")) == (code, 1)
    assert told in log


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("/openedx/config/lms.env.json", None, "lms.env.json: No such file or directory"),
        ("/openedx/config/lms.env.json", "{", "lms.env.json: not valid JSON"),
        ("/openedx/config/lms.auth.json", "{", "lms.auth.json: not valid JSON"),
        ("/openedx/config/lms.auth.json", None, "/run/secrets/edxapp-secret-key: No such file or directory"),
    ],
)
@pytest.mark.parametrize("verb", ["lms", "create-admin"])
def test_a_missing_or_wrong_file(bench: Bench, verb: str, file: str, text: str | None, told: str) -> None:
    ended, log = bench.job(verb, files={file: text})
    assert (ended, log.count("\n")) == (78, 1)
    assert told in log


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
    name = re.search(r"Log out ([\w-]+)", learner.get("/").text)[1]
    assert "Log in" in learner.submit("/", action="/logout").text
    assert learner.get("/dashboard").text.count("<h1>Log in</h1>") == 1
    for told in (name, f"{name}@bench.test"):
        again = Browser(portal, "lms").submit("/login", username=told, password=PASSWORD)
        assert f"Dashboard of {name}" in again.text
    assert (
        "Please enter a correct" in Browser(portal, "lms").submit("/login", username=name, password="x").text
    )


@pytest.mark.parametrize(
    ("name", "password", "told"),
    [
        ("admin", PASSWORD, "This user name is taken"),
        ("ADMIN", PASSWORD, "This user name is taken"),
        ("a@b.c", PASSWORD, "Letters without accents"),
        ("weak-one", "password", "too common"),
        ("short-one", "x1!", "too short"),
        ("<b>bold</b>", PASSWORD, "Letters without accents"),
    ],
)
def test_a_registration_that_is_refused(portal: Bench, name: str, password: str, told: str) -> None:
    answer = register(Browser(portal, "lms"), name, password)
    assert told in answer.text
    assert "<b>bold" not in answer.text


def test_names_and_addresses_are_taken_once(portal: Bench) -> None:
    name = f"twice-{random.randrange(10**9)}"
    browsers = [Browser(portal, "lms") for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda browser: register(browser, name), browsers))
    assert sum("Dashboard of" in answer.text for answer in answers) == 1
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
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', login.text)[1]
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
    found = learner.get(f"/search?q=okapis+{number}")
    assert "1 found" in found.text
    about = learner.get(re.search(r'href="(/courses/[^"]+/about)"', found.text)[1])
    assert about.status == 200
    assert f"About Zebras &amp; &lt;i&gt;okapis&lt;/i&gt; {number}." in about.text
    again = create(author(portal), number, title)
    assert f"There is a course course-v1:bench+{number}+2024_T1 already." in again.text


def test_learners_create_no_courses(portal: Bench, learner: Browser) -> None:
    name = re.search(r"Log out ([\w-]+)", learner.get("/").text)[1]
    studio = Browser(portal, "cms")
    home = studio.submit("/login", username=name, password=PASSWORD)
    assert "New course" not in home.text
    answer = studio.submit("/home", action="/home", title="x", org="x", number="x", run="x")
    assert answer.status == 403


@pytest.mark.parametrize("words", ["", "%22", "AND OR NOT", "a*b?(", "\\", "x" * 3000, "%F0%9F%A6%93", "%00"])
def test_any_search_is_answered(portal: Bench, words: str) -> None:
    assert Browser(portal, "lms").get("/search?q=" + words.replace(" ", "+")).status == 200


def test_a_worker_makes_the_report(learner: Browser) -> None:
    learner.submit("/dashboard", action="/dashboard/report")
    assert "to be graded in" in until("the report", lambda: report(learner))


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
            told = json.loads(answer.text)
            assert answer.status == 503
            assert {name for name, each in told.items() if not each["status"]} == lines, told
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
        told = create(studio, number, f"Kept {number}")
        assert "could not be published just now" in told.text
        assert told.seconds < 15
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
        until(f"{name} to be ready again", lambda name=name: portal.probe(name) == 0)


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
        until(f"{verb} to be ready", lambda verb=verb: portal.answers(verb))


def lms_probe(bench: Bench) -> str:
    return bench.inside("lms", "/usr/local/bin/probe", "lms")[1]


# Ends


def test_without_memcached_nobody_is_logged_out(portal: Bench, learner: Browser) -> None:
    portal.container("memcached").restart()
    assert "Dashboard of" in learner.get("/dashboard").text


def test_sigterm_lets_a_request_end(portal: Bench) -> None:
    browser = Browser(portal, "lms")
    with ThreadPoolExecutor(1) as threads:
        with paused(portal, "mongo"):
            asked = threads.submit(browser.get, "/")
            until("the request to be there", lambda: connections(portal, "mongo"), 10)
            portal.container("lms").kill("SIGTERM")
            until("lms to have heard", lambda: "Handling signal: term" in portal.logs("lms"), 10)
        assert asked.result().status == 200
    assert portal.container("lms").wait(timeout=30)["StatusCode"] == 0
    portal.serve("lms")


def connections(portal: Bench, store: str) -> bool:
    """Whether the lms has a connection to a store."""
    address = portal.address(store).split(".")
    wanted = "".join(f"{int(part):02X}" for part in reversed(address))
    return wanted in portal.inside("lms", "cat", "/proc/net/tcp")[1]


def test_a_worker_ends_its_task_before_it_ends(portal: Bench, learner: Browser) -> None:
    with paused(portal, "mongo"):
        learner.submit("/dashboard", action="/dashboard/report")
        until("the task to be taken", lambda: "received" in portal.logs("lms-workers").splitlines()[-1], 10)
        portal.container("lms-workers").kill("SIGTERM")
        until("the worker to have heard", lambda: "Warm shutdown" in portal.logs("lms-workers"), 10)
    assert portal.container("lms-workers").wait(timeout=30)["StatusCode"] == 0
    assert "to be graded in" in (report(learner) or "")
    portal.serve("lms-workers")


def test_a_task_beyond_its_grace_is_run_once_more_by_the_next_worker(portal: Bench, learner: Browser) -> None:
    """As a redeploy does it: SIGTERM, the grace, SIGKILL, a new container."""
    with paused(portal, "mongo"):
        learner.submit("/dashboard", action="/dashboard/report")
        until("the task to be taken", lambda: "received" in portal.logs("lms-workers").splitlines()[-1], 10)
        portal.container("lms-workers").stop(timeout=3)
        said = portal.logs("lms-workers")
        assert ("Warm shutdown" in said, "succeeded" in said.split("Warm shutdown")[-1]) == (True, False)
        assert portal.container("lms-workers").wait()["StatusCode"] == 137
    assert report(learner) is None
    portal.serve("lms-workers")
    assert "to be graded in" in until("the report", lambda: report(learner))
    runs = portal.logs("lms-workers").splitlines()
    assert sum("grade_report" in line and "succeeded" in line for line in runs) == 1, runs


@pytest.fixture
def grouped(portal: Bench) -> Iterator[Bench]:
    """The lms's workers in two containers, high_mem in one of its own."""
    portal.start("lms-workers", env={"OPENEDX_QUEUES": "default,high"})
    portal.start("lms-workers", HEAVY, env={"OPENEDX_QUEUES": "high_mem"})
    for name in ("lms-workers", HEAVY):
        until(f"{name} to be ready", lambda name=name: portal.answers(name))
    yield portal
    portal.container(HEAVY).remove(force=True, v=True)
    portal.serve("lms-workers")


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
    assert "received" not in grouped.logs("lms-workers")


def processes(portal: Bench) -> set[str]:
    """The processes of the group that do tasks: all but the oldest."""
    told = portal.container(HEAVY).top(ps_args="-o pid,args")["Processes"]
    return {pid for pid, words in told if "celery" in words} - {min(told, key=lambda each: int(each[0]))[0]}


def test_a_killed_worker_s_task_is_run_again(portal: Bench, learner: Browser) -> None:
    with paused(portal, "mongo"):
        learner.submit("/dashboard", action="/dashboard/report")
        until("the task to be taken", lambda: "received" in portal.logs("lms-workers").splitlines()[-1], 10)
        portal.container("lms-workers").kill()
    assert report(learner) is None
    portal.serve("lms-workers")
    assert "to be graded in" in until("the report", lambda: report(learner))


def test_queued_tasks_survive_the_broker_s_kill(portal: Bench, learner: Browser) -> None:
    portal.container("lms-workers").stop()
    learner.submit("/dashboard", action="/dashboard/report")
    portal.container("rabbitmq").kill()
    portal.container("rabbitmq").start()
    portal.serve("lms-workers")
    assert "to be graded in" in until("the report", lambda: report(learner))


def test_memory_and_secrets_at_the_end(portal: Bench) -> None:
    """After all of the above: what the roles hold, and that no secret has been said anywhere."""
    roles = ("lms", "cms", "lms-workers", "cms-workers")
    used = {name: portal.working_set(name) for name in roles}
    print({name: f"{mib:.0f} MiB" for name, mib in used.items()}, f"{sum(used.values()):.0f} MiB together")
    assert sum(used.values()) <= MEMORY_MIB, used
    for name in roles:
        said = portal.logs(name) + json.dumps(portal.container(name).attrs)
        assert "Traceback" not in said, said[said.index("Traceback") - 500 :][:3000]
        for secret in SECRETS.values():
            assert secret not in said, name
