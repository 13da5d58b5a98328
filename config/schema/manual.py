"""The manual of each key: the comment that stands right above it in reference.yml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config.reading import checkout, yamlfile
from config.reading.errors import Findings
from config.reading.nodes import Node, Section, join

FILE = Path(__file__).parents[1] / "reference.yml"
ROOT = FILE.parent.parent


def reference() -> Section:
    """The reference as it is written. Raises ConfigError."""
    findings = Findings("config/reference.yml")
    root = yamlfile.load(FILE, findings, ROOT)
    findings.raise_any()
    assert root
    return root


def written(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Every key and section below a node, by path."""
    if isinstance(node, Section):
        for name, inner in node.items.items():
            yield join(path, name), inner
            yield from written(inner, join(path, name))


def key_line(node: Node) -> int:
    """The line (from 1) of a node's key."""
    # A section begins at its first key, a line or more (its first key's comment) below its own.
    if not isinstance(node, Section) or not node.items:
        return node.line
    lines = checkout.text(FILE, ROOT).splitlines()
    number = node.line - 1
    while lines[number - 1].strip().startswith("#"):
        number -= 1
    return number


def comment(line: int) -> str:
    """The comment right above a line (from 1), as one line of text."""
    lines = checkout.text(FILE, ROOT).splitlines()[: line - 1]
    block: list[str] = []
    while lines and lines[-1].strip().startswith("#"):
        block.insert(0, lines.pop().strip().removeprefix("#").strip())
    return " ".join(block)


def comments() -> dict[str, str]:
    """What stands above each key and section of the reference, by path."""
    return {path: comment(key_line(node)) for path, node in written(reference())}
