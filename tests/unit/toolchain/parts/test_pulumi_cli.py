"""Pulumi's own archive: is it to be had, and is nothing taken from it but programs."""

import hashlib
import http.server
import io
import os
import socket
import tarfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.parts.plugins import install_official
from toolchain.parts.pulumi_cli import address, check, download, reachable
from toolchain.pins import Pins
from toolchain.process import Runner

PINS = Pins.load()
CLI = b"#!/bin/sh\necho v3.256.0\n"


def archive(members: dict[str, bytes | str]) -> bytes:
    """A tar archive; a value that is text is a symbolic link's target."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                tar.addfile(member)
            else:
                member.size, member.mode = len(content), 0o755
                tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def summed(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Shelf(http.server.BaseHTTPRequestHandler):
    content = b""

    def do_HEAD(self) -> None:
        self.send_response(200 if self.path == "/cli.tar.gz" else 404)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(self.content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "*")
    server = http.server.HTTPServer(("127.0.0.1", 0), Shelf)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/cli.tar.gz"
    server.shutdown()
    thread.join()
    server.server_close()


def test_addresses() -> None:
    assert address(PINS, "x86_64").endswith("/pulumi-v3.256.0-linux-x64.tar.gz")
    assert address(PINS, "aarch64").endswith("/pulumi-v3.256.0-linux-arm64.tar.gz")
    with pytest.raises(ToolchainError, match="no CLI for riscv64, only for x86_64, aarch64"):
        address(PINS, "riscv64")


def test_a_server_that_answers_is_reachable(shelf: str) -> None:
    assert reachable(shelf)
    assert not reachable(shelf + ".none")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "nonsense", "http://[::1", "unheard://x"])
def test_what_does_not_answer_is_not(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    assert not reachable(url)


def test_a_server_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as server:
        begun = time.monotonic()
        assert not reachable(f"http://127.0.0.1:{server.getsockname()[1]}/x", limit=0.3)
        assert time.monotonic() - begun < 3


def test_the_archives_programs_are_taken_and_nothing_else(shelf: str, tmp_path: Path) -> None:
    Shelf.content = archive(
        {
            "pulumi/pulumi": CLI,
            "pulumi/pulumi-language-python": b"host",
            "pulumi/link": "/etc/passwd",
            "pulumi/../../escaped": b"evil",
            "/absolute": b"evil",
            "readme": b"text",
        }
    )
    program = download(shelf, tmp_path / "bin", summed(Shelf.content))
    assert sorted(path.name for path in (tmp_path / "bin").iterdir()) == ["pulumi", "pulumi-language-python"]
    assert not (tmp_path / "escaped").exists()
    runner = Runner(tmp_path / "logs", {"PATH": os.environ["PATH"]})
    assert check(program, PINS, runner, tmp_path) == "3.256.0"


def test_a_cli_of_another_version_is_refused(shelf: str, tmp_path: Path) -> None:
    Shelf.content = archive({"pulumi/pulumi": CLI})
    program = download(shelf, tmp_path / "bin", summed(Shelf.content))
    runner = Runner(tmp_path / "logs", {"PATH": os.environ["PATH"]})
    with pytest.raises(ToolchainError, match=r"reports version 'v3.256.0', expected v3.257.0"):
        check(program, replace(PINS, pulumi="3.257.0"), runner, tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", archive({"pulumi/readme": b""}), archive({"pulumi/pulumi": CLI})[:-40]],
    ids=["nothing", "a page", "another program's", "cut short"],
)
def test_a_broken_archive_is_told_with_the_remedy(shelf: str, tmp_path: Path, content: bytes) -> None:
    Shelf.content = content
    with pytest.raises(
        ToolchainError, match=r"(?s)cannot download http.*PORTAL_TOOLCHAIN=packages builds it"
    ):
        download(shelf, tmp_path / "bin", summed(Shelf.content))
    assert not (tmp_path / "bin" / "pulumi").exists()
    assert not list(Path(tmp_path / "bin").glob("*unfinished*"))


def test_an_archive_with_another_sum_is_not_unpacked(shelf: str, tmp_path: Path) -> None:
    """Whole and of the right version as it may be."""
    Shelf.content = archive({"pulumi/pulumi": CLI, "pulumi/pulumi-language-python": b"other"})
    with pytest.raises(ToolchainError, match=rf"its SHA-256 is {summed(Shelf.content)}, expected {'0' * 64}"):
        download(shelf, tmp_path / "bin", "0" * 64)
    assert not list((tmp_path / "bin").iterdir())


def test_an_archive_without_a_sum_is_refused() -> None:
    name = "pulumi-v3.256.0-linux-x64.tar.gz"
    with pytest.raises(ToolchainError, match=rf"{name} has no SHA-256 under \[archives\]"):
        replace(PINS, archives={}).sum_of(name)
    assert replace(PINS, archives={name: "a" * 64}).sum_of(name) == "a" * 64


def test_a_plugin_is_downloaded_by_its_sum(tmp_path: Path) -> None:
    (tmp_path / "cli").write_text('#!/bin/sh\necho "$@" >"$PULUMI_HOME/words"\n')
    (tmp_path / "cli").chmod(0o755)
    runner = Runner(tmp_path / "logs", {"PATH": os.environ["PATH"]})
    install_official(tmp_path / "cli", tmp_path, "docker", "5.1.0", runner, "a" * 64)
    assert (tmp_path / "words").read_text() == f"plugin install resource docker 5.1.0 --checksum {'a' * 64}\n"
