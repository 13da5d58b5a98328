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
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.waiting import until

HOME = Path(__file__).parents[2] / "images" / "configuration"

# Answers with the setting it started with; finishes what it has begun when asked to end.
SERVER = """
import http.server, json, os, signal, socket, sys, threading, time
said = json.load(open(sys.argv[1]))["NAME"]
if said == "broken":
    sys.exit(3)
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
from configuration import rendering, supervisor
from configuration.keeper import Keeper
from configuration.places import Places
home, ground, port, server = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
def ansible(places, overrides, output):
    for name in rendering.FILES:
        said = {"NAME": overrides.get("EDXAPP_PLATFORM_NAME", "none")} if "env" in name else {}
        (output / name).write_text(json.dumps(said))
rendering.run_ansible = ansible
places = Places(home=home, **{each: ground / each for each in ("given", "secrets", "overrides", "rendered", "settings")})
supervisor.POLL_SECONDS = 0.1
words = [sys.executable, server, str(places.settings / "lms.env.json")]
sys.exit(supervisor.Supervisor("lms", words, port, Keeper(places)).run())
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
    for name in ("given", "secrets", "overrides", "rendered", "settings"):
        (tmp_path / name).mkdir()
    empty = {"PORTAL_PROTECTED_ENV": {"lms": {}, "cms": {}}, "PORTAL_PROTECTED_AUTH": {"lms": {}, "cms": {}}}
    for name, said in (("release", {}), ("tenant", {}), ("protected", empty)):
        (tmp_path / "given" / f"{name}.yml").write_text(json.dumps(said))
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path


@pytest.fixture
def running(ground: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A supervisor and its software, which answers."""
    words = [str(ground / "program.py"), str(HOME), str(ground), str(port), str(ground / "server.py")]
    env = {**os.environ, "PYTHONPATH": str(HOME)}
    with subprocess.Popen([sys.executable, *words], env=env, stderr=subprocess.PIPE, text=True) as process:
        try:
            until("the software to answer", lambda: ask(port) == "none")
            yield process
        finally:
            process.kill()
            process.wait()
            kill_software(ground, check=False)


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
            until("the change to be live", lambda number=number: ask(port) == f"Name {number}")
    finally:
        over.set()
        for each in threads:
            each.join()
    assert not [each for each in answers if each.startswith("failed")], answers
    report = json.loads((ground / "overrides/services/lms.json").read_text())
    assert (report["version"], report["trouble"]) == (10, "")


def test_what_does_not_start_leaves_the_one_before(ground: Path, port: int, running: Any) -> None:
    override(ground, "EDXAPP_PLATFORM_NAME: good\n")
    until("the good one to be live", lambda: ask(port) == "good")
    override(ground, "EDXAPP_PLATFORM_NAME: broken\n")
    status = ground / "overrides/status.json"
    until("the refusal", lambda: json.loads(status.read_text())["refused"])
    assert "lms does not start with it (exit code 3)" in json.loads(status.read_text())["refused"]["reason"]
    assert ask(port) == "good"
    assert json.loads((ground / "settings/lms.env.json").read_text())["NAME"] == "good"
    override(ground, "EDXAPP_PLATFORM_NAME: better\n")
    until("the next to be live", lambda: ask(port) == "better")


def test_sigterm_lets_a_request_end(ground: Path, port: int, running: subprocess.Popen[str]) -> None:
    said: list[str] = []
    asked = ground / "settings" / "asked"
    asked.unlink()
    asking = threading.Thread(target=lambda: said.append(ask(port)))
    asking.start()
    until("the request to be there", asked.exists)
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=10) == 0
    asking.join()
    assert said == ["none"]


def test_the_software_ending_ends_the_container(
    ground: Path, port: int, running: subprocess.Popen[str]
) -> None:
    kill_software(ground, check=True)
    assert running.wait(timeout=10) == 128 + signal.SIGKILL
