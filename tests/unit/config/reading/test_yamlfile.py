"""The safe part of YAML: what is read, with both of PyYAML's readers, and what is refused before it costs anything."""

import time
from pathlib import Path

import pytest
import yaml

from config.reading import yamlfile
from config.reading.errors import Findings
from config.reading.nodes import Node, Scalar, Section, Series
from tests.unit.config.bad_files import tenants


def read(text: str | bytes) -> tuple[Section | None, tuple[str, ...]]:
    findings = Findings("x.yaml")
    data = text.encode() if isinstance(text, str) else text
    return yamlfile.parse(data, findings), findings.lines()


def plain(node: Node) -> object:
    if isinstance(node, Section):
        return {key: plain(value) for key, value in node.items.items()}
    if isinstance(node, Series):
        return [plain(value) for value in node.items]
    return (node.kind, node.text)


@pytest.mark.parametrize("reader", [yaml.SafeLoader, yaml.CSafeLoader])
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("word", "text"),
        ("two words", "text"),
        ("'2024'", "text"),
        ('"no"', "text"),
        ("8e3", "text"),
        ("0o17", "text"),
        ("no way", "text"),
        ("=", "text"),
        ("2024", "number"),
        ("-1", "number"),
        ("8_080", "number"),
        ("010", "number"),
        ("0x1F", "number"),
        ("22:22", "number"),
        ("1.5", "number"),
        ("1.5e+3", "number"),
        (".nan", "number"),
        ("no", "truth value"),
        ("On", "truth value"),
        ("TRUE", "truth value"),
        ("", "nothing"),
        ("~", "nothing"),
        ("null", "nothing"),
        ("2024-06-19", "date"),
        ("2024-06-19 12:00:00", "date"),
        ("2024-99-99", "date"),
    ],
)
def test_a_scalar_keeps_its_text_and_says_what_yaml_takes_it_for(
    text: str, kind: str, reader: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yamlfile, "_LOADER", reader)
    root, findings = read(f"key: {text}")
    assert not findings
    assert root
    assert root.items["key"] == Scalar(1, kind, text.strip("'\"") if kind != "nothing" else text)


def test_keys_values_and_lists_have_their_lines() -> None:
    root, _ = read("# a\nhosts:\n  # b\n  lms: x\n  cms: y\n\nlist: [a, {b: c}]\n")
    assert root
    hosts, listed = root.items["hosts"], root.items["list"]
    assert isinstance(hosts, Section)
    assert (hosts.items["lms"].line, hosts.items["cms"].line, listed.line) == (4, 5, 7)
    assert plain(root) == {
        "hosts": {"lms": ("text", "x"), "cms": ("text", "y")},
        "list": [("text", "a"), {"b": ("text", "c")}],
    }


def test_both_readers_say_the_same_of_every_bad_file(monkeypatch: pytest.MonkeyPatch) -> None:
    for bad in tenants():
        monkeypatch.setattr(yamlfile, "_LOADER", yaml.CSafeLoader)
        fast = read(bad.data)
        monkeypatch.setattr(yamlfile, "_LOADER", yaml.SafeLoader)
        assert read(bad.data)[1] == fast[1], bad.title


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        bomb(9),
        bomb(500),
        "a: &a [*a]",
        "[" * 65000,
        "{" * 65000,
        "- " * 32000,
        "? " * 32000,
        "a: " + "[" * 65000,
        "a: '" + "x" * 65000,
        "a: " + "9" * 65000,
        "a: 1" + ":59" * 20000,
        "a: 1" + "_" * 65000 + "x",
        "".join(f"k{n}: v\n" for n in range(6500)),
        "".join("k: v\n" for n in range(13000)),
        "a: [" + "x," * 32000 + "]",
        "a: !" + "t" * 65000,
        "&" + "a" * 65000 + " b: c",
        "%TAG ! " + "t" * 65000,
        "%YAML 1." + "1" * 65000,
        "a: " + '"\\UFFFFFFFF"',
        "# " + "x" * 65000,
        "a" * 65000,
        "a" * 65000 + ": x",
        "\n" * 65000,
        "---\n" * 16000,
        "a: |\n" + " x\n" * 16000,
        "a: >9\n  x",
    ],
)
def test_no_file_costs_much(text: str) -> None:
    start = time.process_time()
    root, findings = read(text)
    assert time.process_time() - start < 1
    assert root or findings
    assert len(findings) <= 101
    assert all(line.isprintable() and len(line) < 400 for line in findings)


def test_the_slow_reader_is_bounded_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yamlfile, "_LOADER", yaml.SafeLoader)
    for text in (bomb(500), "[" * 65000, "? " * 32000, "a: " + '"\\UFFFFFFFF"', "%YAML 1." + "1" * 65000):
        start = time.process_time()
        assert read(text)[1]
        assert time.process_time() - start < 5


def test_a_file_larger_than_the_limit_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    with file.open("wb") as sparse:
        sparse.truncate(10**12)
    findings = Findings("big.yaml")
    assert yamlfile.load(file, findings, file.parent) is None
    assert findings.lines() == ("big.yaml: is larger than 64 KiB, expected what a person can review",)


def test_carriage_returns_count_only_with_a_line_feed() -> None:
    assert read("a: b\r\nc: d\r\n")[0] == read("a: b\nc: d\n")[0]
    assert read("a: b\rc: d")[1] == ("x.yaml: line 1: has the control character U+000D, expected text",)
