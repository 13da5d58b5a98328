"""Reads data/bad-tenants.txt and data/bad-releases.txt: edits of a good file, each with what must be said of it.

    === what is wrong
    @ name              the file's name, where it is not `good`
    - a line            is taken out of the good file …
    + a line            … and these stand in its place, or at the end when none was taken out
    = a line            the whole file, instead of edits
    > a finding         word for word, in order

A backslash after the sign lets the line write bytes as \\xNN and characters as \\uNNNN. Other lines are remarks.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

DATA = Path(__file__).parent / "data"
_ESCAPE = re.compile(rb"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})")


@dataclass
class Bad:
    """One bad file."""

    title: str
    name: str = "good"
    file: list[bytes] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    place: int | None = None
    whole: bool = False

    @property
    def data(self) -> bytes:
        """The file's bytes."""
        return b"\n".join(self.file) + b"\n"

    def take(self, sign: str, text: str) -> None:
        """One line of the table."""
        escaped = text.startswith("\\ ")
        line = text[2:] if escaped else text[1:]
        data = _ESCAPE.sub(_bytes, line.encode()) if escaped else line.encode()
        if sign == "@":
            self.name = line
        elif sign == ">":
            self.findings.append(line)
        elif sign == "-":
            self.place = self.file.index(data)
            del self.file[self.place]
        elif sign == "=":
            self.file = [*(self.file if self.whole else []), data]
            self.whole = True
        else:
            self.place = len(self.file) if self.place is None else self.place
            self.file.insert(self.place, data)
            self.place += 1


def tenants() -> list[Bad]:
    """All bad tenant files."""
    return _table(DATA / "bad-tenants.txt", DATA / "tenants" / "good.yaml")


def releases() -> list[Bad]:
    """All bad release files."""
    return _table(DATA / "bad-releases.txt", DATA / "releases" / "good.yml")


def _table(path: Path, base: Path) -> list[Bad]:
    good = base.read_bytes().splitlines()
    rows: list[Bad] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("=== "):
            rows.append(Bad(line[4:], file=list(good)))
        elif line[:1] in ("@", "-", "+", "=", ">") and rows:
            rows[-1].take(line[0], line[1:] or " ")
    return rows


def _bytes(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode()) if match[1] else chr(int(match[2], 16)).encode()
