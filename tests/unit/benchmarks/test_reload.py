"""What is counted while overrides change."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import reload
from benchmarks.reload import Answers, Drive, ReloadError, ask, change


class Site(BaseHTTPRequestHandler):
    """Answers with the status that the path names."""

    def do_GET(self) -> None:
        self.send_response(int(self.path[1:]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield "127.0.0.1", server.server_address[1]
        server.shutdown()
        thread.join(timeout=10)


def test_a_page_fails_where_no_answer_comes_or_an_error_of_the_server_s(address: tuple[str, int]) -> None:
    answers = Answers()
    for path in ("/200", "/302", "/404", "/503"):
        ask(address, "lms.test", path, answers)
    ask(("127.0.0.1", 1), "lms.test", "/200", answers)
    facts = answers.facts()
    assert (facts["requests"], facts["failed"]) == (5, 2)
    assert "status 503" in facts["faults"]
    assert any(each.startswith("ConnectionRefusedError") for each in facts["faults"])
    assert facts["longest_ms"] >= facts["median_ms"]


def test_versions_are_read_as_services_write_them(tmp_path: Path) -> None:
    folder = tmp_path / "acme" / "overrides"
    (folder / "services").mkdir(parents=True)
    services = {"lms": None, "cms": None}
    tenant = SimpleNamespace(directory=str(tmp_path / "acme"), services=services, worker_groups={})
    drive = Drive(client=None, tenant=tenant)  # type: ignore[arg-type]
    assert (drive.accepted(), drive.live()) == (0, {})
    (folder / "status.json").write_text('{"accepted": {"number": 7, "sha256": "e3", "since": ""}}')
    (folder / "services" / "lms.json").write_text('{"service": "lms", "version": 6, "trouble": ""}')
    (folder / "services" / "lms-workers-gone.json").write_text('{"version": 2, "trouble": ""}')
    assert (drive.accepted(), drive.live()) == (7, {"lms": 6})


@dataclass
class FakeDrive:
    """A portal whose services take a new version up one look after the other."""

    ready: tuple[str, ...] = ("lms", "cms", "lms-workers")
    version: int = 7
    looks: int = 0
    texts: list[str] = field(default_factory=list)

    def write(self, text: str) -> None:
        self.texts.append(text)
        self.version += 1

    def accepted(self) -> int:
        return self.version

    def live(self) -> dict[str, int]:
        names = ("lms", "cms", "lms-workers")
        if not self.texts:
            return dict.fromkeys(names, self.version)
        self.looks += 1
        return {name: self.version - (name not in self.ready[: self.looks]) for name in names}


def test_each_service_is_timed_until_it_runs_the_new_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "LOOK_SECONDS", 0.01)
    drive: Any = FakeDrive()
    took = change(drive, 1)
    assert list(took) == ["lms", "cms", "lms-workers"]
    assert took["lms"] < took["cms"] < took["lms-workers"]
    assert change(drive, 2).keys() == took.keys()
    assert len(set(drive.texts)) == 2


def test_a_service_that_stays_behind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(reload, "LIVE_LIMIT_SECONDS", 0.05)
    drive: Any = FakeDrive(ready=("lms", "cms"))
    with pytest.raises(ReloadError, match=r"for change 3 to be live in lms-workers$"):
        change(drive, 3)
