"""Stamps of what was made."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from toolchain import files
from toolchain.setup.stamps import PartResult, Stamps

TAKEN = PartResult(part="pulumi", source="packages", version="3.256.0", where="/x/pulumi")


@pytest.fixture
def stamps(tmp_path: Path) -> Stamps:
    return Stamps(tmp_path / "stamps")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "pulumi"
    path.write_text("program")
    return path


def test_what_was_finished_stands(stamps: Stamps, program: Path) -> None:
    stamps.write("k1", TAKEN, program)
    assert stamps.read("pulumi", "k1") == TAKEN


def test_other_inputs_are_another_part(stamps: Stamps, program: Path) -> None:
    stamps.write("k1", TAKEN, program)
    assert stamps.read("pulumi", "k2") is None
    assert stamps.read("venv", "k1") is None


def test_two_checkouts_do_not_undo_each_other(stamps: Stamps, program: Path) -> None:
    stamps.write("k1", TAKEN, program)
    stamps.write("k2", TAKEN, program)
    assert stamps.read("pulumi", "k1") == TAKEN


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.unlink(),
        lambda path: path.write_text("another program"),
        lambda path: os.utime(path, ns=(1, 1)),
    ],
)
def test_evidence_that_changed_is_none(
    stamps: Stamps, program: Path, change: Callable[[Path], object]
) -> None:
    stamps.write("k1", TAKEN, program)
    change(program)
    assert stamps.read("pulumi", "k1") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        '{"taken": {}}',
        '{"taken": {"part": "x"}, "looks": {}}',
        '{"looks": 1, "taken": 2}',
        '{"taken": {"part": "p", "source": "s", "unheard": 1}, "looks": {}}',
    ],
)
def test_a_damaged_stamp_is_none(stamps: Stamps, text: str) -> None:
    files.write(stamps.folder / "pulumi-k1.json", text)
    assert stamps.read("pulumi", "k1") is None
