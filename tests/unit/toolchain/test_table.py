"""Tables: one line a row with whole values for whoever greps; folded at words for a person; never a program's own notation."""

import re
import sys
from enum import Enum, IntEnum, StrEnum
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len as rich_cell_len

from automation.review.change_rules import DataRisk
from tests.unit.automation.commands.notation import NOTATION
from toolchain.table import (
    BOLD,
    UNFOLDED,
    Table,
    cell_len,
    folded,
    number,
    plain,
    print_table,
    prose,
    say_table,
)

LONG = "a-name-of-sixty-characters-as-nobody-gives-but-somebody-may-x"[:60]
WIDE = "学院" * 30
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Kind(StrEnum):
    ONE = "one"


class Plain(Enum):
    ONE = 1


class Whole(IntEnum):
    ONE = 1


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text("abcé学", min_size=1, max_size=60),
    st.sampled_from([*Kind, *Plain, *Whole, *DataRisk, Path("/srv/portals"), IPv4Address("10.0.0.1")]),
    st.just(IPv4Network("10.77.0.0/24")),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3),
        st.frozensets(leaves, max_size=3),
    ),
    max_leaves=6,
)


def texts(value: Any) -> list[str]:
    """The texts that a value holds, at any depth."""
    if isinstance(value, str):
        return [str(value)]
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    if isinstance(value, list | tuple | frozenset):
        return [text for each in value for text in texts(each)]
    return []


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(values, values, values), min_size=1, max_size=4))
def test_no_value_is_printed_in_python_s_notation(printed: list[tuple[Any, ...]]) -> None:
    made = Table("one", prose("two"), number("three"))
    for row in printed:
        made.add_row(*row)
    shown = made.text(UNFOLDED, on_terminal=False)
    assert NOTATION.findall(shown) == []
    lines = shown.splitlines()
    assert len(lines) == 1 + len(printed)
    for row, line in zip(printed, lines[1:], strict=True):
        assert [each for each in texts(row) if each not in line] == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (2.345, "2.3"),
        (("a", "b"), "a, b"),
        ([IPv4Network("10.77.0.0/24")], "10.77.0.0/24"),
        ({"lms": None, "cms": ["a"]}, "lms: , cms: a"),
        (Kind.ONE, "one"),
        (Plain.ONE, "one"),
        (DataRisk.REWRITE, "changed with no way back"),
        (Path("/srv"), "/srv"),
    ],
)
def test_a_value_in_words(value: object, words: str) -> None:
    assert plain(value) == words


def table() -> Table:
    made = Table("tenant", prose("why"), "name", number("seconds"), grouped=True)
    made.add_row(
        "oak", "the program of every portal has changed and nobody knows what it does", LONG[:30], 1.0
    )
    made.add_row("oak", f"{WIDE}\n- and a second line\tof it", "", None)
    made.add_row("elm", "", LONG[:12], 234.56)
    return made


def test_a_pipe_has_a_line_a_row_with_each_value_whole() -> None:
    head, first, second, third = table().text(UNFOLDED, on_terminal=False).splitlines()
    assert head.split() == ["tenant", "why", "name", "seconds"]
    assert re.fullmatch(r"oak     the program .* it does +a-name-of-sixty-characters-as-  +1\.0", first)
    # A line break is written out: what greps for a tenant finds all of it.
    assert second == f"oak     {WIDE}\\n- and a second line\\tof it"
    assert third.split() == ["elm", LONG[:12], "234.6"]
    assert (
        len({rich_cell_len(line[: line.index(mark)]) for line, mark in ((head, "name"), (first, "a-name"))})
        == 1
    )


def test_a_pipe_is_the_same_whatever_the_shell_says_of_terminals(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    print_table(table(), "3 rows")
    usual = capsys.readouterr().out
    for name, value in {
        "COLUMNS": "40",
        "FORCE_COLOR": "1",
        "TTY_COMPATIBLE": "1",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "GITHUB_ACTIONS": "true",
    }.items():
        monkeypatch.setenv(name, value)
    print_table(table(), "3 rows")
    out = capsys.readouterr().out
    assert out == usual
    assert out.startswith("3 rows\ntenant ")
    assert "\x1b" not in out


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_a_terminal_s_width_is_kept_and_nothing_is_lost(width: int) -> None:
    shown = COLOURS.sub("", table().text(width, on_terminal=True))
    assert max(map(rich_cell_len, shown.splitlines())) <= width
    # By columns folded, all letters are there.
    assert shown.count("学") == WIDE.count("学")


def test_a_terminal_with_room_for_them_keeps_names_whole_and_folds_prose_at_words() -> None:
    shown = COLOURS.sub("", table().text(80, on_terminal=True))
    assert LONG[:30] in shown
    assert LONG[:12] in shown
    column = [line[8:].split("  ")[0].strip() for line in shown.splitlines()]
    shown_words = " ".join(column).split()
    # Whole words, wherever a line ends.
    assert {"program", "every", "portal", "changed", "nobody", "knows"} <= set(shown_words)


def test_a_terminal_says_a_group_s_name_once() -> None:
    lines = COLOURS.sub("", table().text(200, on_terminal=True)).splitlines()
    assert [line.split("  ")[0].strip() for line in lines] == ["tenant", "oak", "", "", "elm"]


def test_an_empty_table_is_its_sum(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(Table("tenant"), "0 tenants")
    assert capsys.readouterr().out == "0 tenants\n"


def test_a_row_has_a_cell_for_each_head() -> None:
    with pytest.raises(ValueError, match="1 cells below 2 heads"):
        Table("one", "two").add_row("x")


def test_a_terminal_is_asked_for_its_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    print_table(table())
    lines = COLOURS.sub("", capsys.readouterr().out).splitlines()
    assert 40 < max(map(rich_cell_len, lines)) <= 60


@pytest.mark.parametrize(
    ("text", "columns"), [("", 0), ("oak", 3), ("学院", 4), ("é", 1), ("e\u0301", 1), ("a\u200db", 2)]
)
def test_how_many_columns_a_text_takes(text: str, columns: int) -> None:
    assert cell_len(text) == columns


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text("ab 学\n", max_size=60), st.integers(2, 20))
def test_a_folded_text_fits_and_is_whole(text: str, width: int) -> None:
    lines = list(folded(text, width))
    assert max(map(cell_len, lines)) <= width
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")


def test_progress_has_its_table_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say_table(table(), "3 rows")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("3 rows\ntenant ")
    assert len(err.splitlines()) == 5
    assert BOLD not in err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    say_table(table(), "3 rows")
    assert capsys.readouterr().err.splitlines()[1].startswith(BOLD)
