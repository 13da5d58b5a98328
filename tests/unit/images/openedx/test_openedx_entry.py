"""The entry of the image that is derived from a public openedx image: what each verb runs, and the settings file."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tests.standalone import load

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def entry() -> ModuleType:
    return load(ROOT / "images" / "openedx" / "openedx_entry.py")


def test_passwords_are_laid_over_the_settings(
    entry: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "CONFIG", tmp_path)
    (tmp_path / "lms.env.json").write_text(json.dumps({"A": {"x": 1, "y": [1]}, "B": 1}))
    (tmp_path / "lms.auth.json").write_text(json.dumps({"A": {"y": [2], "z": "secret"}}))
    entry.write_settings("lms")
    assert yaml.safe_load((tmp_path / "lms.yml").read_text()) == {
        "A": {"x": 1, "y": [2], "z": "secret"},
        "B": 1,
    }
    assert (tmp_path / "lms.yml").stat().st_mode & 0o777 == 0o640
    assert {path.name for path in tmp_path.iterdir()} == {"lms.env.json", "lms.auth.json", "lms.yml"}


@pytest.mark.parametrize(
    "value",
    [
        "Akademie \U0001f393",
        "a\u2028b\x85c\ufeff\u200f",
        "off",
        "1e3",
        "012",
        "2024-01-31",
        1e16,
        1e-7,
        True,
        None,
        "x\n y",
    ],
)
def test_a_setting_is_read_as_it_was_written(
    entry: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    """edx-platform reads the file with PyYAML."""
    monkeypatch.setattr(entry, "CONFIG", tmp_path)
    (tmp_path / "lms.env.json").write_text(json.dumps({"A": {"x": [value]}}))
    (tmp_path / "lms.auth.json").write_text("{}")
    entry.write_settings("lms")
    assert yaml.safe_load((tmp_path / "lms.yml").read_bytes()) == {"A": {"x": [value]}}


def test_pages_are_served_on_the_socket_that_is_open_already(entry: ModuleType) -> None:
    words = entry.staying("cms", {"OPENEDX_LISTEN_FD": "5", "OPENEDX_READY_FD": "6", "OPENEDX_WORKERS": "3"})
    assert {"--http-socket=fd://5", "--processes=3", "--hook-accepting1-once=write:/proc/self/fd/6 1"} <= set(
        words
    )
    words = entry.staying("cms", {})
    assert "--http-socket=0.0.0.0:8010" in words


# An application by what it answers; the connections of a child are not those of the workers.
SITE = """
import os, time
def application(environ, start):
    assert (environ["PATH_INFO"], environ["HTTP_HOST"]) == ("/heartbeat", "lms.acme.com")
    open("asked", "w").write(str(os.getpid()))
    answer = os.environ["ANSWER"]
    if answer == "raises":
        raise OSError("No translation files found for default language zz.")
    if answer == "hangs":
        time.sleep(60)
    start(answer, [])
    return [b""]
"""


# What of Django the module asks: settings, the pages' code, and connections that nobody may inherit.
ASKED_OF_DJANGO = {
    "conf.py": "class settings:\n    LMS_BASE = 'lms.acme.com'\n",
    "urls.py": """
import os
class get_resolver:
    @property
    def reverse_dict(self):
        open("loaded", "w").write(str(os.getpid()))
        if os.environ.get("ANSWER") == "no pages":
            raise ImportError("No module named 'acme_theme'")
""",
    "db.py": """
class connections:
    @staticmethod
    def close_all():
        open("closed", "w").write(open("loaded").read())
""",
}


def write_site(folder: Path, text: str) -> None:
    """An lms by the text of its application, and what it asks of Django."""
    django = {f"django/{name}": code for name, code in ASKED_OF_DJANGO.items()}
    for name, code in {"lms/wsgi.py": text, **django}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(code)


@pytest.mark.parametrize(
    ("answer", "generation", "code", "ready_first"),
    [
        ("200 OK", 2, 0, True),
        ("503 Service Unavailable", 2, 0, True),
        ("hangs", 2, 0, True),
        ("500 Internal Server Error", 2, 75, True),
        ("raises", 2, 75, True),
        # With nothing to go back to, pages of a failing portal are better than none.
        ("raises", 1, 0, False),
    ],
)
def test_a_run_that_follows_another_has_answered_before_it_is_ready(
    tmp_path: Path, answer: str, generation: int, code: int, ready_first: bool
) -> None:
    write_site(tmp_path, SITE)
    env = {
        "PYTHONPATH": f"{ROOT}/images/openedx:{tmp_path}",
        "SERVICE_VARIANT": "lms",
        "OPENEDX_GENERATION": str(generation),
        "ANSWER": answer,
    }
    load = (
        "import gc, os, openedx_app; openedx_app.LIMIT_SECONDS = 1; openedx_app.load(); "
        "print('loaded', os.getpid(), 'frozen' if gc.get_freeze_count() else 'loose')"
    )
    done = subprocess.run(
        [sys.executable, "-c", load], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, "loaded" in done.stdout) == (code, code == 0), done.stderr
    assert (tmp_path / "asked").exists() == ready_first
    if ready_first and not code:
        assert (tmp_path / "asked").read_text() not in done.stdout.split()
    # Loaded once, in the process that uWSGI's workers are made from, and without a connection that they would share.
    if not code:
        assert (tmp_path / "closed").read_text() in done.stdout.split()
        assert "frozen" in done.stdout


def test_pages_that_cannot_be_loaded_are_said_and_end_nothing(tmp_path: Path) -> None:
    write_site(tmp_path, SITE)
    env = {"PYTHONPATH": f"{ROOT}/images/openedx:{tmp_path}", "SERVICE_VARIANT": "lms", "ANSWER": "no pages"}
    done = subprocess.run(
        [sys.executable, "-c", "import openedx_app; openedx_app.load(); print('loaded')"],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "loaded\n")
    assert (
        done.stderr == "openedx: the pages cannot be loaded: ImportError(\"No module named 'acme_theme'\")\n"
    )


@pytest.mark.parametrize("verb", ["lms", "cms"])
def test_workers_of_uwsgi_know_which_threads_they_have_not(entry: ModuleType, verb: str) -> None:
    """Seen with the real Open edX: without it a mongo that was killed stayed away from the lms until its next start."""
    words = entry.staying(verb, {})
    assert {"--master", "--enable-threads", "--py-call-osafterfork"} <= set(words)


def test_the_log_has_nothing_of_what_a_request_was_told(entry: ModuleType, tmp_path: Path) -> None:
    """uWSGI's own format has the address with its query, and the referrer; a probe every two seconds is no news."""
    words = entry.staying("lms", {})
    assert "--disable-logging" in words
    write_site(
        tmp_path,
        "def application(environ, start):\n"
        "    start('200 OK' if environ['PATH_INFO'] != '/gone' else '404 Not Found', [('Content-Length', '5')])\n"
        "    return [b'x']\n",
    )
    asks = """
import openedx_app
told = openedx_app.load()
for path in ("/heartbeat", "/password_reset_confirm/1-token/", "/gone"):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "a=secret"}
    told(environ, lambda line, headers, error=None: None)
"""
    env = {"PYTHONPATH": f"{ROOT}/images/openedx:{tmp_path}", "SERVICE_VARIANT": "lms"}
    done = subprocess.run(
        [sys.executable, "-c", asks], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=30
    )
    assert re.fullmatch(r"GET 200 5 \d+ms\nGET 404 5 \d+ms\n", done.stdout), done


def test_workers_take_their_variant_s_queues_by_a_name_of_their_generation(entry: ModuleType) -> None:
    words = entry.staying("lms-workers", {"OPENEDX_WORKERS": "2", "OPENEDX_GENERATION": "7"})
    assert "--queues=edx.lms.core.default,edx.lms.core.high,edx.lms.core.high_mem" in words
    assert "--hostname=edx.lms.core.default.7.%h" in words
    assert {"--app=openedx_worker", "--concurrency=2"} <= set(words)


def test_a_group_of_workers_takes_its_own_queues_alone(entry: ModuleType) -> None:
    words = entry.staying("lms-workers", {"OPENEDX_QUEUES": "high_mem"})
    assert "--queues=edx.lms.core.high_mem" in words
    assert "--hostname=edx.lms.core.high_mem.1.%h" in words
    assert entry.tasks_per_child({"OPENEDX_QUEUES": "high_mem"}) == "1"
    assert entry.tasks_per_child({"OPENEDX_QUEUES": "default,high_mem"}) == "100"
    for queues in ("low", "high,", "default,high_mem;"):
        with pytest.raises(ValueError, match="is no queue of lms; there are: default, high, high_mem"):
            entry.staying("lms-workers", {"OPENEDX_QUEUES": queues})


def test_a_queue_that_is_none_ends_the_container_in_one_line(
    entry: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(entry, "CONFIG", tmp_path)
    monkeypatch.setattr(entry, "MEDIA", tmp_path / "media")
    monkeypatch.setenv("OPENEDX_QUEUES", "low")
    for name in ("lms", "cms"):
        (tmp_path / f"{name}.env.json").write_text("{}")
        (tmp_path / f"{name}.auth.json").write_text("{}")
    assert entry.main(["lms-workers"]) == entry.USAGE
    assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / "media/private/reports").stat().st_mode & 0o777 == 0o700


# Celery's own API as far as the worker uses it.
CELERY = """
VERSION = (5, 2, 7)
"""
BOOTSTEPS = """
class StartStopStep:
    def __init__(self, consumer, **kwargs): pass
"""
SIGNALS = """
class worker_ready:
    connect = staticmethod(lambda each: heard.append(each))
heard = []
"""
APP = """
class APP:
    class conf: pass
    steps = {"consumer": set()}
"""
WORKER = """
import os, pathlib, time
import openedx_worker, celery.signals
openedx_worker.SIGN = os.path.abspath("alive")
[step] = openedx_worker.app.steps["consumer"]
class connection: connected = True
class consumer:
    connection = connection
    class timer:
        call_repeatedly = staticmethod(lambda every, what: print("every", every))
one = step(consumer)
assert not os.path.exists("alive")
one.start(consumer)
assert os.path.exists("alive")
os.unlink("alive")
connection.connected = False
step(consumer).start(consumer)
assert not os.path.exists("alive"), "a worker without its broker is no worker"
[ready] = celery.signals.heard
read, write = os.pipe()
os.environ["OPENEDX_READY_FD"] = str(write)
ready(sender=None)
assert os.read(read, 2) == b"1"
ready(sender=None)
print(openedx_worker.app.conf.worker_max_tasks_per_child)
"""


def test_a_worker_says_that_it_takes_tasks_once_it_does(tmp_path: Path) -> None:
    for name, text in (
        ("celery/__init__.py", CELERY),
        ("celery/bootsteps.py", BOOTSTEPS),
        ("celery/signals.py", SIGNALS),
        ("lms/celery.py", APP),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    env = {
        "PYTHONPATH": f"{ROOT}/images/openedx:{tmp_path}",
        "SERVICE_VARIANT": "lms",
        "OPENEDX_TASKS_PER_CHILD": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", WORKER], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=30
    )
    assert done.stdout == "every 5.0\nevery 5.0\n1\n", done.stderr


def test_a_probe_of_workers_is_true_only_while_they_have_their_broker(tmp_path: Path) -> None:
    """Nothing of a process's name: one that still imports, or is in a loop of crashes, has that too."""
    sign = tmp_path / "worker-alive"
    probe = tmp_path / "probe"
    probe.write_text((ROOT / "images/openedx/probe").read_text().replace("/tmp/worker-alive", str(sign)))

    def probed() -> tuple[int, str]:
        done = subprocess.run(["bash", str(probe), "cms-workers"], capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout

    assert probed() == (1, "no connection to the broker yet\n")
    sign.touch()
    assert probed() == (0, "")
    os.utime(sign, (0, 0))
    assert probed()[0] == 1


def test_what_of_the_uploads_is_public_is_one_list(entry: ModuleType) -> None:
    """Where there is no nginx the image serves them itself; `course_images` is the stand-in's."""
    [pattern] = re.findall(
        r"location ~ \^/media/\(.*\|\(([^)]+)\)/\)", (ROOT / "images/nginx/nginx.conf").read_text()
    )
    assert pattern.split("|") == sorted([*entry.PUBLIC, "course_images"])
    words = entry.staying("lms", {})
    served = {each.partition("=")[2] for each in words if each.startswith("--static-map=")}
    assert served == {"/static=/openedx/staticfiles"} | {
        f"/media/{name}=/openedx/media/{name}" for name in entry.PUBLIC
    }
    assert not set(entry.PUBLIC) & {"private", *entry.PRIVATE}


def test_what_is_empty_says_nothing(entry: ModuleType) -> None:
    """An empty address of a logo would be a picture that is not there; edx-platform has its own."""
    assert entry.without_empty({"LOGO_URL": "", "CONTACT_EMAIL": "", "FAVICON_URL": "/x"}) == {
        "CONTACT_EMAIL": "",
        "FAVICON_URL": "/x",
    }


# Django, its shell and edx-platform's command as far as the verbs use them; each start and call is a line of `calls`.
DJANGO = """
import os, sys, types
calls = open("calls", "a")
print("start", *sys.argv[1:3], os.environ["DJANGO_SETTINGS_MODULE"], file=calls)
class Rows:
    def __init__(self, name): self.name = name
    def __getattr__(self, verb):
        def call(*args, **kwargs):
            print(self.name, verb, *args, *sorted(kwargs), file=calls)
            return (self, True) if verb.endswith("_or_create") else self
        return call
def call_command(*words):
    print(*words, file=calls)
    if words[0] == os.environ.get("FAILS"):
        raise SystemExit(3)
def module(name, **values):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(values)
class Site: objects = Rows("site")
class User: objects = Rows("user")
class Client: objects = Rows("client")
class Flag: objects = Rows("flag")
class Access: objects = Rows("access")
for name in ("django", "django.contrib", "django.contrib.sites", "django.core", "oauth2_provider", "openedx",
             "openedx.core", "openedx.core.djangoapps", "openedx.core.djangoapps.oauth_dispatch"):
    module(name)
module("django.core.management", call_command=call_command)
module("django.contrib.sites.models", Site=Site)
module("django.contrib.auth", get_user_model=lambda: User)
module("waffle", get_waffle_flag_model=lambda: Flag)
module("oauth2_provider.models", get_application_model=lambda: Client)
module("openedx.core.djangoapps.oauth_dispatch.models", ApplicationAccess=Access)
real = open
def open(path, *mode):
    return real(path.replace("/run/secrets", os.getcwd()).replace("/openedx/config", os.getcwd()), *mode)
assert sys.argv[2:4] == ["shell", "-c"]
exec(sys.argv[4], dict(globals()))
"""


@pytest.fixture
def image(entry: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that an image's commands run in, with its configuration and its Python."""
    monkeypatch.setattr(entry, "CONFIG", tmp_path)
    monkeypatch.setattr(entry, "MEDIA", tmp_path / "media")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(sys.executable)
    (tmp_path / "manage.py").write_text(DJANGO)
    (tmp_path / "admin-password").write_text("hunter2")
    env = {
        "ADMIN": {"username": "o'hara", "email": "o@example.org"},
        "LMS_BASE": "a", "PLATFORM_NAME": "A", "SOCIAL_AUTH_EDX_OAUTH2_KEY": "k", "CMS_ROOT_URL": "http://b",
    }  # fmt: skip
    for variant in ("lms", "cms"):
        (tmp_path / f"{variant}.env.json").write_text(json.dumps(env))
        (tmp_path / f"{variant}.auth.json").write_text(json.dumps({"SOCIAL_AUTH_EDX_OAUTH2_SECRET": "s"}))
    return tmp_path


def test_the_verbs_of_one_application_are_one_start_of_django(
    entry: ModuleType, image: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    verbs = ["lms-migrate", "oauth-sync", "create-admin", "cms-migrate"]
    assert entry.main(verbs) == 0
    assert capfd.readouterr().out.splitlines() == [f"openedx: {verb}" for verb in verbs]
    calls = (image / "calls").read_text().splitlines()
    assert [each for each in calls if each.startswith(("start", "migrate", "manage_user"))] == [
        "start lms shell portal_settings.lms",
        "migrate --no-input",
        "manage_user --superuser --staff o'hara o@example.org",
        "start cms shell portal_settings.cms",
        "migrate --no-input",
    ]
    assert {"site update_or_create defaults id", "user set_password hunter2", "user save"} <= set(calls)


@pytest.mark.parametrize(("fails", "printed"), [("migrate", 1), ("manage_user", 2)])
def test_nothing_runs_after_a_verb_that_failed(
    entry: ModuleType,
    image: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    fails: str,
    printed: int,
) -> None:
    monkeypatch.setenv("FAILS", fails)
    verbs = ["lms-migrate", "create-admin", "cms-migrate"]
    assert entry.main(verbs) == 3
    assert capfd.readouterr().out.splitlines() == [f"openedx: {verb}" for verb in verbs[:printed]]
    assert (image / "calls").read_text().splitlines()[-1].startswith(fails)


def test_no_password_is_an_argument(entry: ModuleType) -> None:
    verbs = [verb for verb in entry.ENDING if verb != "lms-assets"]
    words = str(list(entry.ending(verbs, {"username": "a", "email": "a@example.org"})))
    assert "/run/secrets/admin-password" in words
    assert "auth['SOCIAL_AUTH_EDX_OAUTH2_SECRET']" in words.replace('"', "'")


def test_static_files_need_no_django(entry: ModuleType) -> None:
    [(_, words)] = entry.ending(["lms-assets"], {})
    assert words[-3:] == (entry.ASSETS, "/openedx/staticfiles", "/openedx/static")


def test_a_log_in_link_is_all_that_is_printed(entry: ModuleType) -> None:
    [(variant, words)] = entry.ending(["login-link"], {})
    assert (variant, words[-1].count("print(")) == ("lms", 1)
    compile(words[-1], "link", "exec")


@pytest.mark.parametrize("verbs", [[], ["shell"], ["lms", "cms"], ["lms-migrate", "lms"]])
def test_other_verbs_are_refused(
    entry: ModuleType, verbs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.main(verbs) == entry.USAGE
    assert "verbs are" in capsys.readouterr().err


# Django's shell has these; the flags that there are, and what becomes of them.
FAKES = """
import json, os
class Objects:
    def __init__(self): self.made = json.loads(os.environ["FLAGS"])
    def exclude(self, **_): return self
    def filter(self, name="", domain="", everyone=None):
        self.name = name
        return self
    def delete(self): self.made.pop(self.name, None)
    def update_or_create(self, **_): pass
    def get_or_create(self, name, defaults): self.made.setdefault(name, defaults["everyone"])
objects = Objects()
class Model: pass
Model.objects = objects
Site = Model
def get_waffle_flag_model(): return Model
"""


@pytest.mark.parametrize(
    ("environ", "there", "left"),
    [
        (
            {"LEARNING_MICROFRONTEND_URL": "http://apps.acme.com/learning"},
            {"learner_home_mfe.enabled": True, "own.flag": True},
            {"course_home.course_home_mfe_progress_tab": True, "own.flag": True},
        ),
        (
            {"LEARNING_MICROFRONTEND_URL": "http://apps.acme.com/learning"},
            {"course_home.course_home_mfe_progress_tab": False},
            {"course_home.course_home_mfe_progress_tab": False},
        ),
        ({"LEARNING_MICROFRONTEND_URL": None}, {"course_home.course_home_mfe_progress_tab": True}, {}),
    ],
    ids=["a front end's page is shown", "what somebody has decided stays", "no page leads nowhere"],
)
def test_pages_lead_to_the_front_ends_that_there_are(
    entry: ModuleType, tmp_path: Path, environ: dict[str, str], there: dict[str, bool], left: dict[str, bool]
) -> None:
    for name in ("waffle.py", "django/contrib/sites/models.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("from fakes import *\n")
    (tmp_path / "fakes.py").write_text(FAKES)
    settings = tmp_path / "lms.env.json"
    settings.write_text(json.dumps({"LMS_BASE": "acme.com", "PLATFORM_NAME": "Acme", **environ}))
    code = entry.SITE.replace("/openedx/config/lms.env.json", str(settings))
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport fakes; print(json.dumps(fakes.objects.made))"],
        env={"PYTHONPATH": str(tmp_path), "FLAGS": json.dumps(there)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == left
