"""Requests without an answer: read as they were written, whatever is in the file, and told from others by their labels."""

from pathlib import Path

import pytest

from automation.runs import unanswered
from automation.runs.unanswered import Request, request


def test_what_is_written_is_read(tmp_path: Path) -> None:
    made = Request(type="t", name="acme-lms", labels={"a": "b"}, before=("1", "2"))
    unanswered.write(tmp_path, [made])
    assert unanswered.read(tmp_path) == (made,)
    unanswered.write(tmp_path, ())
    assert list(tmp_path.iterdir()) == []
    unanswered.write(tmp_path, ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        '[{"type": "t"}]',
        "{}",
        "null",
        '[{"type": "t", "name": "n", "labels": 3, "before": []}]',
    ],
)
def test_a_file_that_is_not_whole_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / unanswered.FILE).write_text(text)
    assert unanswered.read(tmp_path) == ()


@pytest.mark.parametrize(
    ("inputs", "labels"),
    [
        ({"name": "a", "labels": [{"label": "x", "value": "y"}, {"label": "z"}, 3]}, {"x": "y"}),
        ({"name": "a", "labels": None}, {}),
        ({"name": "a"}, {}),
    ],
)
def test_a_request_has_the_labels_of_its_inputs(inputs: dict[str, object], labels: dict[str, str]) -> None:
    made = request("t", inputs)
    assert made is not None
    assert dict(made.labels) == labels
    assert made.is_of({"x": "y", "of the image": "too"})
    assert not made.labels or not made.is_of({"x": "another's"})


def test_what_has_no_name_is_no_request() -> None:
    assert request("t", {}) is None
    assert request("t", {"name": {"unknown": True}}) is None
