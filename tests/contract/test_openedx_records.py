"""What was recorded of the real edx-platform is whole, and the page that tells of it is true. Its use is in tests/e2e."""

import ast
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.records import answers, differences, page
from tests.records.differences import Difference, Row
from tests.records.record import BODIES, FOLDER, OPENEDX, records, whole

ROOT = Path(__file__).parents[2]
APP = ROOT / "images" / "openedx-standin" / "app"


def test_every_record_is_whole_and_has_a_name_of_its_own() -> None:
    names = [each.name for each in records()]
    assert len(names) == len(set(names))
    for each in records():
        assert each.method in ("GET", "POST", "PATCH"), each
        assert each.path.startswith("/"), each
        assert each.answer["status"] in range(200, 500), each
        assert set(each.answer["headers"]) <= set(answers.HEADERS), each


def test_records_hold_nothing_that_the_rules_leave_out() -> None:
    """No token, no moment, no key: normal answers are normal already."""
    for each in records():
        body = each.answer["body"]
        if isinstance(body, str):
            continue
        assert answers.value("", body) == body, each.name
    text = "".join(file.read_text() for file in OPENEDX.glob("*.yml")) + str(BODIES)
    assert not re.search(r"eyJ[\w-]{10}|\d{4}-\d\d-\d\dT", text)


def test_rows_name_records_and_say_why() -> None:
    names = {each.name for each in records()} | {"mails"}
    for row in differences.table():
        assert row.reason.endswith("."), row
        assert row.places, row
        for each in row.records:
            assert "*" in each or each in names, each


def test_the_page_is_written_from_the_records() -> None:
    assert set(page.ABOUT) == {file.name for file in OPENEDX.glob("*.yml")}
    path = ROOT / "docs" / "standin.md"
    text = page.page()
    if os.environ.get("UPDATE_PLANS"):
        path.write_text(text)
    assert text == path.read_text(), (
        "UPDATE_PLANS=1 ./portal test tests/contract/test_openedx_records.py writes it anew"
    )


def assigned(file: Path, name: str) -> Any:
    """The literal that a module's name or an argument has."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
        if isinstance(node, ast.keyword) and node.arg == name:
            return ast.literal_eval(node.value)
    raise AssertionError(f"{file} has no {name}")


def test_workers_take_the_real_ones_queues() -> None:
    recorded = yaml.safe_load((FOLDER / "queues.yml").read_text())
    queues = assigned(APP / "standin" / "entry.py", "QUEUES")
    for variant in ("lms", "cms"):
        assert sorted(f"edx.{variant}.core.{each}" for each in queues[variant]) == sorted(recorded[variant])


def test_tasks_go_where_the_real_ones_go() -> None:
    recorded = yaml.safe_load((FOLDER / "queues.yml").read_text())
    routes = assigned(APP / "standin" / "celery.py", "task_routes")
    for each in recorded["tasks"]:
        [queue, *_] = (
            route["queue"] for task, route in routes.items() if differences.fits(each["task"], task)
        )
        assert queue == each["queue"], each
    known = {each["task"] for each in (*recorded["tasks"], *recorded["pages"])}
    made = {
        f"{file.parent.name}.tasks.{node.name}"
        for file in APP.glob("*/tasks.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.decorator_list
    }
    assert made == known


# The comparison itself


def test_a_missing_key_another_value_and_another_kind_are_told() -> None:
    real = {"a": 1, "b": [{"c": True}], "d": None, "e": "x"}
    other = {"a": True, "b": [{"c": True}], "e": "y", "f": 0}
    by_place = {at: (one, two) for at, one, two in answers.differences(real, other)}
    assert by_place == {"a": (1, True), "d": (None, "(none)"), "e": ("x", "y"), "f": ("(none)", 0)}
    assert list(answers.differences([1], [1, 2])) == [("", [1], [1, 2])]
    assert not list(answers.differences(real, real))


def test_what_changes_by_itself_is_left_out() -> None:
    record_body = {
        "created": "2026-11-30T08:01:59.897805Z",
        "url": "http://lms.bench.test:8480/xblock/block-v1:A+B+C+type@html+block@0abc",
        "id": 7,
        "csrfToken": "x" * 64,
        "goals": None,
    }
    assert answers.value("", record_body) == {
        "created": "(time)",
        "url": "https://lms.example/xblock/block-v1:A+B+C+type@html+block@(block)",
        "id": "(number)",
        "csrfToken": "(token)",
        "goals": None,
    }
    answer = answers.normal(
        200, {"content-type": ["text/html; charset=utf-8"], "x-frame-options": ["DENY"]}, b"<p>"
    )
    assert answer == {"status": 200, "headers": {"Content-Type": "text/html"}, "body": answers.PAGE}


def test_a_call_to_the_forum_is_one_line() -> None:
    line = answers.forum_call("PUT", "/api/v1/users/12?request_id=5", "username=ada&external_id=12")
    assert line == "PUT /api/v1/users/(number) external_id=(number) username=ada"


def test_like_stands_for_a_body() -> None:
    made = whole([{"like": "details", "but": {"course_name": "Other"}}])
    assert made == [{**BODIES["details"], "course_name": "Other"}]


@pytest.mark.parametrize(
    ("records", "places", "new", "old"),
    [
        (("one",), ("body[0].x",), [], []),
        (("o*",), ("body*",), [], []),
        (("one",), ("body[0].y",), ["one: body[0].x"], ["one", "body[0].y"]),
        (("one", "two"), ("body[0].x",), [], ["two"]),
    ],
)
def test_the_table_holds_in_both_directions(
    records: tuple[str, ...], places: tuple[str, ...], new: list[str], old: list[str]
) -> None:
    differing = [Difference(record="one", at="body[0].x", real=1, other=2)]
    rows = [Row(records=records, places=places, reason="So it is.")]
    assert [": ".join(each.split(": ")[:2]) for each in differences.unexplained(differing, rows)] == new
    assert [each.partition(":")[0] for each in differences.gone(differing, rows)] == old
