"""Which variables overrides may set, and to what: the table is variables.yml, all that is not in it is refused."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from configurator import plain_yaml, value_checks
from configurator.layers import SETTINGS
from configurator.refusal import Refusal
from configurator.value_checks import Row

OPERATORS = "is the operator's alone and cannot be overridden; remove it"
REVIEWED = "the operator may set it in the tenant's file, under {key}, where it is reviewed"
FEATURES = "EDXAPP_FEATURES"
Place = tuple[str | int, ...]
Tables = Mapping[str, Mapping[str, Row]]
Known = Mapping[str, list[str]]


@dataclass(frozen=True, kw_only=True)
class Table:
    """The whole table; `program` matches whole names of what nobody sets."""

    variables: Mapping[str, Row]
    program: re.Pattern[str]

    @classmethod
    def load(cls, path: Path) -> "Table":
        """Read variables.yml and known.yml beside it. Raises OSError, yaml.YAMLError and ValueError."""
        said, known = (
            yaml.safe_load(each.read_text(encoding="utf-8")) for each in (path, path.with_name("known.yml"))
        )
        tables = {name: _rows(rows, {}, known) for name, rows in said["tables"].items()}
        rows = _rows(said["variables"], tables, known)
        return cls(variables=rows, program=re.compile("|".join(said["program"])))


def _rows(said: Mapping[str, Any], tables: Tables, known: Known) -> dict[str, Row]:
    return {
        name: _row({"type": row} if isinstance(row, str) else row, tables, known)
        for name, row in said.items()
    }


def _row(said: Mapping[str, Any], tables: Tables, known: Known) -> Row:
    keys = said.get("keys", {})
    if said["type"] not in (*value_checks.CHECKS, "mapping"):
        raise ValueError(f"variables.yml: there is no type {said['type']}")
    return Row(
        type=said["type"],
        longest=said.get("longest", 500 if said["type"] in ("name", "lines") else 50),
        least=said.get("least", 0),
        most=said.get("most", 0),
        of=tuple(said.get("of", known.get(said["type"], ()))),
        keys=tables[keys] if isinstance(keys, str) else _rows(keys, tables, known),
    )


def check(data: bytes, table: Table) -> dict[str, Any]:
    """The overrides of a file. Raises Refusal for the first thing that is not listed, or listed with another type."""
    read = plain_yaml.read(data)
    for place, reason in findings(read.values, table):
        # The key itself where it stands; of a list's entry the list's.
        raise Refusal(reason, *read.places.get(place, (0, 0)), plain_yaml.shown(place))
    return read.values


def findings(said: Mapping[str, Any], table: Table) -> Iterator[tuple[Place, str]]:
    """All that is wrong with the variables of overrides, in the file's order: where, and why."""
    for name, value in said.items():
        row = table.variables.get(name)
        if row is None:
            yield (name,), _stranger(name, table)
        elif row.type != "mapping":
            if reason := value_checks.finding(row, value):
                yield (name,), reason
        elif not isinstance(value, dict):
            yield (
                (name,),
                f"is {value_checks.short(value)}, expected keys with values, for example '{_sample(row)}'",
            )
        else:
            yield from _within(name, row, value)


def _within(variable: str, row: Row, said: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for name, value in said.items():
        if name not in row.keys:
            yield (variable, name), _unlisted(variable, name, row)
        elif reason := value_checks.finding(row.keys[name], value):
            yield (variable, name), reason


def _sample(row: Row) -> str:
    name, inner = next(iter(row.keys.items()))
    return f"{name}: {'true' if inner.type == 'switch' else '…'}"


def _stranger(name: str, table: Table) -> str:
    if table.program.fullmatch(name):
        return OPERATORS
    told = _meant(name, table.variables)
    who = "" if told else f"; {REVIEWED.format(key='settings')}, by the name that Open edX has for it"
    return f"is not a variable that can be overridden{told or who}"


def _unlisted(variable: str, name: str, row: Row) -> str:
    """Who may set what is not listed. The program's own settings are refused to the tenant's file as well, by name."""
    told = _meant(name, row.keys)
    if variable == FEATURES:
        return f"is not a feature that a portal's admin may set{told}; {REVIEWED.format(key='features')}"
    if variable in SETTINGS:
        return f"is not a setting that a portal's admin may set{told}; {REVIEWED.format(key='settings')}"
    return f"is not known{told}; known here: {', '.join(row.keys)}"


def _meant(name: str, known: Mapping[str, Row]) -> str:
    near = difflib.get_close_matches(name[:100], known, n=1, cutoff=0.75)
    return f"; is {near[0]} meant?" if near else ""
