"""How a benchmark writes its results."""

import json

import pytest
from rich.console import Console

from benchmarks import report


def show(console: Console) -> None:
    console.print("ten portals")


def test_results_are_one_json_object_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    report.say("measuring")
    report.tell({"portals": 10}, True, show)
    out, err = capsys.readouterr()
    assert (json.loads(out), err) == ({"portals": 10}, "measuring\n")


def test_without_json_they_are_tables(capsys: pytest.CaptureFixture[str]) -> None:
    report.tell({"portals": 10}, False, show)
    assert capsys.readouterr().out == "ten portals\n"
