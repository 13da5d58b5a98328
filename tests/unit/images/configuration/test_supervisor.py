"""One generation of the software after the other, on one socket: with a small server in the software's place."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from testbed.waiting import until

HOME = Path(__file__).parents[4] / "images" / "configuration"

# Answers with the setting it started with; finishes what it has begun when asked to end.
SERVER = """
import http.server, json, os, signal, socket, sys, threading, time
said = json.load(open(sys.argv[1]))["NAME"]
starts = os.path.join(os.path.dirname(sys.argv[1]), "starts")
with open(starts, "a") as file:
    file.write(said + "\\n")
count = open(starts).read().split("\\n").count(said)
if said == "wrong":
    sys.exit(78)
if said == "failing" or (said == "unlucky" and count < 3):
    sys.exit(3)
if said == "heavy" or (said == "late" and count < 3):
    os.kill(os.getpid(), signal.SIGKILL)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        open(os.path.join(os.path.dirname(sys.argv[1]), "asked"), "w").close()
        time.sleep(0.05)
        text = said.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *_):
        pass
class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
if "OPENEDX_LISTEN_FD" not in os.environ:
    os.write(int(os.environ["OPENEDX_READY_FD"]), b"1")
    signal.pause()
listen = socket.socket(fileno=int(os.environ["OPENEDX_LISTEN_FD"]))
server = Server(listen.getsockname(), Handler, bind_and_activate=False)
server.socket.close()
server.socket = listen
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
os.write(int(os.environ["OPENEDX_READY_FD"]), b"1")
server.serve_forever(poll_interval=0.05)
server.server_close()
"""

# The supervisor as the image runs it, with Ansible's part done by hand.
PROGRAM = """
import json, sys
from pathlib import Path
from configurator import ansible, supervisor, start_failures
from configurator.overrides import Overrides
from configurator.paths import Paths
home, ground, port, server = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
def role(paths, values):
    if values.get("EDXAPP_PLATFORM_DESCRIPTION") == "crash":
        raise RuntimeError("of a kind that nobody thought of")
    return {variant: {"NAME": values.get("EDXAPP_PLATFORM_NAME", "none")} for variant in ("lms", "cms")}
ansible.render_settings = role
class Full(Overrides):
    def reject(self, version, reason):
        if (ground / "full").exists():
            raise OSError(28, "No space left on device")
        super().reject(version, reason)
real = supervisor.Generation
def generation(*told):
    told_by = json.loads((paths.settings / "lms.env.json").read_text())
    marks = ground / "unforked"
    if told_by["NAME"] == "unforked" and (not marks.exists() or len(marks.read_text()) < 2):
        with marks.open("a") as file:
            file.write("x")
        raise OSError(12, "Cannot allocate memory")
    return real(*told)
supervisor.Generation = generation
start_failures.FIRST_SECONDS, start_failures.LONGEST_SECONDS = 0.1, 0.2
paths = Paths(home=home, **{each: ground / each for each in ("layers", "secrets", "overrides", "rendered", "settings")})
supervisor.POLL_SECONDS = supervisor.WORKERS_POLL_SECONDS = 0.1
words = [sys.executable, server, str(paths.settings / "lms.env.json")]
name = "lms" if port else "lms-workers"
sys.exit(supervisor.Supervisor(name, words, port, Full(paths)).run())
"""


# A job as the image runs it.
JOB = """
import sys
from pathlib import Path
from configurator import __main__ as entry, ansible
from configurator.paths import Paths
home, ground = Path(sys.argv[1]), Path(sys.argv[2])
def role(paths, values):
    return {variant: {"NAME": values.get("EDXAPP_PLATFORM_NAME", "none")} for variant in ("lms", "cms")}
ansible.render_settings = role
folders = {each: ground / each for each in ("layers", "secrets", "overrides", "rendered")}
entry.Paths = lambda: Paths(home=home, settings=ground / "of-the-job", **folders)
sys.exit(entry.main([*sys.argv[3:]]))
"""
# The job's software: ends as the server does where the settings are not to its liking.
MIGRATIONS = """
import json, os, signal, sys
said = json.load(open(sys.argv[1]))["NAME"]
if said == "wrong":
    sys.exit(78)
if said == "heavy":
    os.kill(os.getpid(), signal.SIGKILL)
print(said)
"""


@pytest.fixture(scope="module")
def port() -> int:
    """One that nobody has."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


@pytest.fixture
def ground(tmp_path: Path) -> Path:
    """The folders of a container."""
    for name in ("layers", "secrets", "overrides", "rendered", "settings"):
        (tmp_path / name).mkdir()
    empty: dict[str, dict[str, dict[str, str]]] = {
        "env": {"lms": {}, "cms": {}},
        "auth": {"lms": {}, "cms": {}},
    }
    values: dict[str, object] = {"release": {}, "tenant": {}, "protected": empty}
    for name, content in values.items():
        (tmp_path / "layers" / f"{name}.json").write_text(json.dumps(content))
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path


@contextmanager
def started(ground: Path, port: int, serves: str = "none") -> Iterator[subprocess.Popen[str]]:
    """A supervisor and its software, which answers; one of workers, port 0, answers nobody."""
    words = [str(ground / "program.py"), str(HOME), str(ground), str(port), str(ground / "server.py")]
    env = {**os.environ, "PYTHONPATH": str(HOME)}
    with subprocess.Popen([sys.executable, *words], env=env, stderr=subprocess.PIPE, text=True) as process:
        try:
            if port:
                until("the software to answer", lambda: ask(port) == serves)
            yield process
        finally:
            process.kill()
            process.wait()
            kill_software(ground, check=False)


@pytest.fixture
def running(ground: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A supervisor of pages."""
    with started(ground, port) as process:
        yield process


def ended(ground: Path, port: int) -> int:
    """The exit code of a supervisor whose software does not start."""
    words = [str(ground / "program.py"), str(HOME), str(ground), str(port), str(ground / "server.py")]
    env = {**os.environ, "PYTHONPATH": str(HOME)}
    return subprocess.run([sys.executable, *words], env=env, capture_output=True, timeout=30).returncode


def kill_software(ground: Path, *, check: bool) -> None:
    """The server alone, by its command line."""
    subprocess.run(["pkill", "-KILL", "-f", f"{ground}/server.py {ground}/settings"], check=check)


def ask(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    except OSError as error:
        return f"failed: {error!r}"
    finally:
        connection.close()


def override(ground: Path, text: str) -> None:
    (ground / "partial").write_text(text)
    (ground / "partial").replace(ground / "overrides" / "ansible_overrides.yml")


def test_ten_changes_under_load_lose_no_request(ground: Path, port: int, running: Any) -> None:
    answers: Counter[str] = Counter()
    over = threading.Event()

    def load() -> None:
        while not over.is_set():
            answers[ask(port)] += 1

    threads = [threading.Thread(target=load) for _ in range(4)]
    for each in threads:
        each.start()
    try:
        for number in range(10):
            override(ground, f"EDXAPP_PLATFORM_NAME: Name {number}\n")
            until("the change to be live", partial(shows, port, f"Name {number}"))
    finally:
        over.set()
        for each in threads:
            each.join()
    assert not [each for each in answers if each.startswith("failed")], answers
    report = json.loads((ground / "overrides/services/lms.json").read_text())
    assert (report["version"], report["trouble"]) == (10, "")


def status(ground: Path) -> dict[str, Any]:
    """The judgement, as people read it."""
    status: dict[str, Any] = json.loads((ground / "overrides/status.json").read_text())
    return status


def shows(port: int, name: str) -> bool:
    """Whether the software that answers was started with that name."""
    return ask(port) == name


def troubled(ground: Path, words: str) -> bool:
    """Whether the lms says that of its trouble."""
    return words in report(ground).get("trouble", "")


def report(ground: Path, service: str = "lms") -> dict[str, Any]:
    """What a service says of itself; nothing yet is an empty one."""
    path = ground / f"overrides/services/{service}.json"
    report: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return report


def starts(ground: Path, name: str) -> int:
    """How often the software was started with a name."""
    return (ground / "settings/starts").read_text().split("\n").count(name)


@pytest.mark.parametrize(("name", "code", "tries"), [("wrong", 78, 1), ("failing", 3, 3)])
def test_what_is_wrong_leaves_the_one_before(
    ground: Path, port: int, running: Any, name: str, code: int, tries: int
) -> None:
    override(ground, "EDXAPP_PLATFORM_NAME: good\n")
    until("the good one to be live", lambda: ask(port) == "good")
    override(ground, f"EDXAPP_PLATFORM_NAME: {name}\n")
    until("the refusal", lambda: status(ground)["refused"])
    assert f"lms does not start with it (ended with code {code})" in status(ground)["refused"]["reason"]
    assert starts(ground, name) == tries
    assert ask(port) == "good"
    assert json.loads((ground / "settings/lms.env.json").read_text())["NAME"] == "good"
    assert (report(ground)["version"], "was refused" in report(ground)["trouble"]) == (1, True)
    override(ground, "EDXAPP_PLATFORM_NAME: better\n")
    until("the next to be live", lambda: ask(port) == "better")


@pytest.mark.parametrize("name", ["unlucky", "late"])
def test_what_could_not_be_tried_is_tried_again(ground: Path, port: int, running: Any, name: str) -> None:
    override(ground, f"EDXAPP_PLATFORM_NAME: {name}\n")
    until("the report of a try", lambda: "tried again in" in report(ground).get("trouble", ""))
    assert (ask(port), report(ground)["version"]) == ("none", 0), "what runs, not what was to run"
    assert status(ground)["refused"] is None
    until("it to be live", lambda: ask(port) == name)
    until("the report of it", lambda: report(ground)["version"] == 1)
    assert (report(ground)["trouble"], starts(ground, name)) == ("", 3)


def job(ground: Path) -> tuple[int, str]:
    """The exit code of a job that runs now, and what it said."""
    (ground / "of-the-job").mkdir()
    (ground / "job.py").write_text(JOB)
    (ground / "migrations.py").write_text(MIGRATIONS)
    entry = f"{sys.executable} {ground}/migrations.py {ground}/of-the-job/lms.env.json"
    env = {**os.environ, "PYTHONPATH": str(HOME), "OPENEDX_ENTRY": entry}
    words = [sys.executable, str(ground / "job.py"), str(HOME), str(ground), "lms-migrate"]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout.strip()


@pytest.mark.parametrize("name", ["good", "wrong", "heavy"])
def test_a_job_runs_whatever_the_overrides_say(ground: Path, name: str) -> None:
    """`up` waits for it to end well. Before any service of the portal has tried them, too."""
    override(ground, f"EDXAPP_PLATFORM_NAME: {name}\n")
    assert job(ground) == (0, "none")


@pytest.mark.parametrize("name", ["wrong", "heavy"])
def test_a_job_runs_while_a_service_cannot_take_up_what_is_accepted(
    ground: Path, port: int, running: Any, name: str
) -> None:
    override(ground, "EDXAPP_PLATFORM_NAME: good\n")
    until("the good one to be in force", lambda: (status(ground).get("in_force") or {}).get("number") == 1)
    override(ground, f"EDXAPP_PLATFORM_NAME: {name}\n")
    until("a try", lambda: report(ground).get("trouble"))
    assert job(ground) == (0, "none")
    assert (ask(port), status(ground)["in_force"]["number"]) == ("good", 1)
    until("the judgement", lambda: status(ground)["accepted"]["number"] == (2 if name == "heavy" else 1))


def test_the_same_text_written_anew_is_one_more_try(ground: Path, port: int, running: Any) -> None:
    override(ground, "EDXAPP_PLATFORM_NAME: heavy\n")
    until("it to be given up", lambda: "not tried again until" in report(ground).get("trouble", ""))
    for number in (9, 10):
        override(ground, "EDXAPP_PLATFORM_NAME: heavy\n")
        until("one more try", partial(troubled, ground, f"try {number};"))
    assert "not tried again until" in report(ground)["trouble"]
    assert starts(ground, "heavy") == 10


def test_what_could_not_even_be_started_is_tried_again(ground: Path, port: int, running: Any) -> None:
    override(ground, "EDXAPP_PLATFORM_NAME: unforked\n")
    until("the report of a try", lambda: "Cannot allocate memory" in report(ground).get("trouble", ""))
    assert ask(port) == "none"
    until("it to be live", lambda: ask(port) == "unforked")


def test_a_refusal_that_cannot_be_kept_ends_nothing_that_serves(
    ground: Path, port: int, running: Any
) -> None:
    (ground / "full").touch()
    override(ground, "EDXAPP_PLATFORM_NAME: wrong\n")
    until("a second try", lambda: starts(ground, "wrong") > 1)
    assert ask(port) == "none"
    (ground / "full").unlink()
    until("the refusal", lambda: status(ground)["refused"])


def test_what_never_can_be_tried_is_given_up_and_said(ground: Path, port: int, running: Any) -> None:
    override(ground, "EDXAPP_PLATFORM_NAME: heavy\n")
    until("it to be given up", lambda: "not tried again until" in report(ground).get("trouble", ""))
    assert (starts(ground, "heavy"), status(ground)["refused"], ask(port)) == (8, None, "none")
    # Written anew it is tried anew.
    override(ground, "EDXAPP_PLATFORM_NAME: heavy\n")
    until("another try", lambda: starts(ground, "heavy") > 8)


@pytest.mark.parametrize("name", ["wrong", "failing", "heavy"])
def test_workers_report_the_version_that_runs(ground: Path, name: str) -> None:
    with started(ground, 0):
        until("the workers' report", lambda: report(ground, "lms-workers").get("version") == 0)
        override(ground, f"EDXAPP_PLATFORM_NAME: {name}\n")
        until("it to be given up", lambda: "not tried again" in report(ground, "lms-workers")["trouble"])
        assert report(ground, "lms-workers")["version"] == 0
        assert status(ground)["refused"] is None, "pages may start with it"


def test_a_restart_begins_with_what_is_known_to_start(ground: Path, port: int) -> None:
    override(ground, "EDXAPP_PLATFORM_NAME: good\n")
    with started(ground, port, "good"):
        until("the report", lambda: report(ground).get("version") == 1)
    override(ground, "EDXAPP_PLATFORM_NAME: heavy\n")
    with started(ground, port, "good"):
        until("the report of a try", lambda: "is not running" in report(ground)["trouble"])
        assert ask(port) == "good"


@pytest.mark.parametrize("name", ["wrong", "failing"])
def test_a_first_start_with_what_is_wrong_comes_up_without_it(ground: Path, port: int, name: str) -> None:
    override(ground, f"EDXAPP_PLATFORM_NAME: {name}\n")
    for _ in range(2 if name == "failing" else 0):
        assert ended(ground, port) == 3, "the engine starts it anew"
    with started(ground, port, "none"):
        assert "does not start with it" in status(ground)["refused"]["reason"]


def test_a_fault_while_judging_ends_nothing_that_serves(ground: Path, port: int, running: Any) -> None:
    override(ground, "EDXAPP_PLATFORM_DESCRIPTION: crash\n")
    until("the report", lambda: report(ground).get("trouble"))
    assert "nobody thought of" in report(ground)["trouble"]
    assert ask(port) == "none"
    override(ground, "EDXAPP_PLATFORM_NAME: better\n")
    until("the next to be live", lambda: ask(port) == "better")


def test_sigterm_lets_a_request_end(ground: Path, port: int, running: subprocess.Popen[str]) -> None:
    answers: list[str] = []
    marker = ground / "settings" / "asked"
    marker.unlink()
    asking = threading.Thread(target=lambda: answers.append(ask(port)))
    asking.start()
    until("the request to be there", marker.exists)
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=10) == 0
    asking.join()
    assert answers == ["none"]


def test_the_software_ending_ends_the_container(
    ground: Path, port: int, running: subprocess.Popen[str]
) -> None:
    kill_software(ground, check=True)
    assert running.wait(timeout=10) == 128 + signal.SIGKILL
