"""Which variables overrides may set, and to which values. The table is variables.yml; any other variable is refused."""

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

OPERATORS = "is set by the operator only and cannot be overridden; remove it"
REVIEWED = "the operator may set it in the tenant's file, under {key}, where it is reviewed"
FEATURES = "EDXAPP_FEATURES"
KeyPath = tuple[str | int, ...]
Tables = Mapping[str, Mapping[str, Row]]
Known = Mapping[str, list[str]]


@dataclass(frozen=True, kw_only=True)
class Table:
    """The whole table; `program` matches the names of variables that only the program sets."""

    variables: Mapping[str, Row]
    program: re.Pattern[str]

    @classmethod
    def load(cls, path: Path) -> "Table":
        """Read variables.yml and known.yml beside it. Raises OSError, yaml.YAMLError and ValueError."""
        table, known = (
            yaml.safe_load(each.read_text(encoding="utf-8")) for each in (path, path.with_name("known.yml"))
        )
        tables = {name: _rows(rows, {}, known) for name, rows in table["tables"].items()}
        rows = _rows(table["variables"], tables, known)
        return cls(variables=rows, program=re.compile("|".join(table["program"])))


def _rows(rows: Mapping[str, Any], tables: Tables, known: Known) -> dict[str, Row]:
    return {
        name: _row({"type": row} if isinstance(row, str) else row, tables, known)
        for name, row in rows.items()
    }


def _row(row: Mapping[str, Any], tables: Tables, known: Known) -> Row:
    keys = row.get("keys", {})
    if row["type"] not in (*value_checks.CHECKS, "mapping"):
        raise ValueError(f"variables.yml: there is no type {row['type']}")
    return Row(
        type=row["type"],
        longest=row.get("longest", 500 if row["type"] in ("name", "lines") else 50),
        least=row.get("least", 0),
        most=row.get("most", 0),
        of=tuple(row.get("of", known.get(row["type"], ()))),
        keys=tables[keys] if isinstance(keys, str) else _rows(keys, tables, known),
    )


def check(data: bytes, table: Table) -> dict[str, Any]:
    """The overrides of a file. Raises Refusal for the first name that is not listed or has a value of the wrong type."""
    parsed = plain_yaml.parse(data)
    for path, reason in findings(parsed.values, table):
        # The position of the key; for an entry of a list, of the list's key.
        raise Refusal(reason, *parsed.positions.get(path, (0, 0)), plain_yaml.key_path(path))
    return parsed.values


def findings(overrides: Mapping[str, Any], table: Table) -> Iterator[tuple[KeyPath, str]]:
    """All findings in overrides, in the file's order: the key, and what is wrong."""
    for name, value in overrides.items():
        row = table.variables.get(name)
        if row is None:
            yield (name,), _unlisted_variable(name, table)
        elif row.type != "mapping":
            if reason := value_checks.finding(row, value):
                yield (name,), reason
        elif not isinstance(value, dict):
            yield (
                (name,),
                f"is {value_checks.quoted(value)}, expected keys with values, for example '{_sample(row)}'",
            )
        else:
            yield from _findings_in_mapping(name, row, value)


def _findings_in_mapping(variable: str, row: Row, values: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    for name, value in values.items():
        if name not in row.keys:
            yield (variable, name), _unlisted_key(variable, name, row)
        elif reason := value_checks.finding(row.keys[name], value):
            yield (variable, name), reason


def _sample(row: Row) -> str:
    name, inner = next(iter(row.keys.items()))
    return f"{name}: {'true' if inner.type == 'switch' else '…'}"


def _unlisted_variable(name: str, table: Table) -> str:
    if table.program.fullmatch(name):
        return OPERATORS
    suggestion = _suggestion(name, table.variables)
    who = "" if suggestion else f"; {REVIEWED.format(key='settings')}, by the name that Open edX has for it"
    return f"is not a variable that can be overridden{suggestion or who}"


def _unlisted_key(variable: str, name: str, row: Row) -> str:
    """The finding for a key that is not listed, with who may set it.

    Settings that only the program makes are refused in the tenant's file, too, by name.
    """
    suggestion = _suggestion(name, row.keys)
    if variable == FEATURES:
        return (
            f"is not a feature that a portal's admin may set{suggestion}; {REVIEWED.format(key='features')}"
        )
    if variable in SETTINGS:
        return (
            f"is not a setting that a portal's admin may set{suggestion}; {REVIEWED.format(key='settings')}"
        )
    return f"is not known{suggestion}; known here: {', '.join(row.keys)}"


def _suggestion(name: str, known: Mapping[str, Row]) -> str:
    near = difflib.get_close_matches(name[:100], known, n=1, cutoff=0.75)
    return f"; is {near[0]} meant?" if near else ""
