"""Families of tests: which files are one, how long each may take, and how long each took."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("families.yml")


@dataclass(frozen=True, kw_only=True)
class Family:
    """Tests that are of one kind. `files` are patterns of paths from the repo's root, `*` going into folders."""

    name: str
    files: tuple[str, ...]
    seconds: float
    lane: str = ""

    def has(self, path: str) -> bool:
        """Whether a file of tests is of this family."""
        return any(fnmatchcase(path, each) for each in self.files)


@dataclass(kw_only=True)
class Spent:
    """How many tests of a family ran, and how many seconds they took, with what they set up."""

    tests: set[str] = field(default_factory=set)
    seconds: float = 0.0


def load(file: Path = FILE) -> tuple[Family, ...]:
    """The families in the order of the file."""
    families = yaml.safe_load(file.read_text())["families"]
    return tuple(
        Family(name=name, files=tuple(each["files"]), seconds=each["seconds"], lane=each.get("lane", ""))
        for name, each in families.items()
    )


def family_of(test: str, families: Iterable[Family]) -> Family:
    """The family of a test, by pytest's name of it. Raises LookupError where no family has its file."""
    path = test.partition("::")[0]
    for each in families:
        if each.has(path):
            return each
    raise LookupError(f"{path} is in no family of {FILE.name}")


def lane_of(test: str, families: Iterable[Family]) -> str:
    """What one worker runs from its begin to its end: a family's lane, else the tests of one file."""
    return family_of(test, families).lane or test.partition("::")[0]


def report(spent: Mapping[str, Spent], families: Iterable[Family], load: float, cores: int) -> list[str]:
    """A line a family that ran, their sum, and a warning for each that took longer than it may."""
    ran = [each for each in families if each.name in spent]
    lines = [f"{'family':<10}{'tests':>7}{'seconds':>9}{'budget':>8}"]
    for each in ran:
        of = spent[each.name]
        mark = "  over its budget" if of.seconds > each.seconds else ""
        lines.append(f"{each.name:<10}{len(of.tests):>7}{of.seconds:>9.0f}{each.seconds:>8.0f}{mark}")
    tests, seconds = (
        sum(len(spent[each.name].tests) for each in ran),
        sum(spent[each.name].seconds for each in ran),
    )
    lines.append(f"{'sum':<10}{tests:>7}{seconds:>9.0f}{sum(each.seconds for each in ran):>8.0f}")
    if any(spent[each.name].seconds > each.seconds for each in ran):
        lines.append(
            f"A budget is for a machine that does nothing else; this one's load was {load:.1f} on {cores} cores."
            " tests/running/families.yml has the budgets."
        )
    return lines
