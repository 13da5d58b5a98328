"""The table of what the stand-in answers otherwise, against what was found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import yaml

from tests.records.record import FOLDER


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One place of an answer that is not as the record has it."""

    record: str
    at: str
    real: Any
    other: Any

    def __str__(self) -> str:
        return f"{self.record}: {self.at}: {str(self.real)[:200]!r} of the real one, {str(self.other)[:200]!r} here"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the table: which records differ, where in their answers, and why."""

    records: tuple[str, ...]
    places: tuple[str, ...]
    reason: str

    def covers(self, differing: Difference) -> bool:
        """Whether the row speaks of a difference."""
        return _any(self.records, differing.record) and _any(self.places, differing.at)

    def unused(self, differing: Iterable[Difference]) -> list[str]:
        """What of the row speaks of nothing that was found."""
        covered = [each for each in differing if self.covers(each)]
        return [
            *(each for each in self.records if not any(fits(one.record, each) for one in covered)),
            *(each for each in self.places if not any(fits(one.at, each) for one in covered)),
        ]


def _any(patterns: Iterable[str], text: str) -> bool:
    return any(fits(text, each) for each in patterns)


def fits(text: str, pattern: str) -> bool:
    """A `*` is all that a pattern knows: places have brackets of their own."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _file() -> Mapping[str, Any]:
    table: Mapping[str, Any] = yaml.safe_load((FOLDER / "differences.yml").read_text(encoding="utf-8"))
    return table


def alike() -> int:
    """How many records have the same answer everywhere."""
    return int(_file()["alike"])


def table() -> list[Row]:
    """The rows of differences.yml."""
    return [
        Row(records=tuple(each["records"]), places=tuple(each["at"]), reason=each["reason"])
        for each in _file()["differences"]
    ]


def unexplained(differing: Iterable[Difference], rows: Iterable[Row]) -> list[str]:
    """The differences that no row speaks of."""
    rows = list(rows)
    return [str(each) for each in differing if not any(row.covers(each) for row in rows)]


def gone(all_differing: Iterable[Difference], rows: Iterable[Row]) -> list[str]:
    """What rows speak of and was not found."""
    all_differing = list(all_differing)
    return [f"{what}: {row.reason}" for row in rows for what in row.unused(all_differing)]
