"""An image's files, asked of the engine without running anything; the rest is in tests/e2e/test_image_check.py."""

import base64
import io
import json
import tarfile
from types import SimpleNamespace
from typing import Any

import pytest

from automation.engine import image_contract
from automation.engine.image_contract import LARGEST_FILE, Report, read, stat
from automation.images.contract import Check


class Engine:
    """Has one file in a container that does not run."""

    base_url, api_version, timeout = "http+docker://localhost", "1.41", 60

    def __init__(self, text: bytes, **stat: Any) -> None:
        self.text, self.stat = text, {"size": len(text), **stat}
        self.requests: list[str] = []

    def head(self, url: str, *, params: dict[str, str], timeout: float) -> Any:
        self.requests.append(url)
        if params["path"] != "/there":
            return SimpleNamespace(status_code=404, headers={})
        header = base64.b64encode(json.dumps(self.stat).encode()).decode()
        return SimpleNamespace(status_code=200, headers={"X-Docker-Container-Path-Stat": header})

    def get_archive(self, container: str, path: str) -> Any:
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as tar:
            info = tarfile.TarInfo("there")
            info.size = len(self.text)
            tar.addfile(info, io.BytesIO(self.text))
        return [made.getvalue()], {}


def test_a_path_is_asked_for_by_its_name() -> None:
    engine = Engine(b"RELEASE_LINE = 'redwood'")
    assert stat(engine, "made", "/there") == {"size": 24}
    assert engine.requests == ["http+docker://localhost/v1.41/containers/made/archive"]
    assert stat(engine, "made", "/elsewhere") == {}
    assert read(engine, "made", "/there") == "RELEASE_LINE = 'redwood'"
    assert read(engine, "made", "/elsewhere") == ""


@pytest.mark.parametrize("stat", [{"size": LARGEST_FILE + 1}, {"size": 0}, {"linkTarget": "/etc/shadow"}])
def test_a_file_that_is_too_large_or_none_is_not_fetched(stat: dict[str, Any]) -> None:
    assert read(Engine(b"text", **stat), "made", "/there") == ""


def test_bytes_that_are_no_text_are_read_as_such() -> None:
    assert read(Engine(b"\xff\xfe"), "made", "/there") == "��"


def test_a_report_says_whether_all_is_kept() -> None:
    check = Check(name="python", ok=True, found="3.8", expected="3.5 or newer")
    unknown = Check(name="release", ok=None, found="master", expected="redwood")
    kept = Report(reference="a", id="b", digest="", megabytes=1, checks=(check, unknown))
    assert kept.facts()["keeps_contract"]
    lost = Report(
        reference="a", id="b", digest="", megabytes=1, checks=(Check(**{**check.facts(), "ok": False}),)
    )
    assert (lost.facts()["keeps_contract"], len(lost.broken)) == (False, 1)
    assert image_contract.ContractBroken.exit_code == 12
