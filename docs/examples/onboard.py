"""Onboards every client of a CSV file: `python -m docs.examples.onboard clients.csv`, after `eval "$(./portal env)"`.

Its first line names the columns: name and lms, and any other text that automation.Wish has (title, email, cms, mail, …).
Run again with the same file it goes on with whoever is not done, and changes nothing of the others. One JSON object a
client on standard output: it has the first log-in's link, so it is not for a log.
"""

import csv
import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from automation import Wish, onboard
from automation.errors import PortalError
from config.errors import ConfigError

COLUMNS = [each.name for each in fields(Wish) if each.type is str]
TOLD = ("tenant", "addresses", "log_in_link", "steps", "seconds")


def main(words: list[str]) -> int:
    """Onboard them one after the other; 1 when one of them failed, which keeps no other back."""
    if len(words) != 1:
        say("usage: python -m docs.examples.onboard clients.csv")
        return 2
    with Path(words[0]).open(newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    named = set(rows[0]) if rows else set()
    if not {"name", "lms"} <= named <= set(COLUMNS):
        say(f"{words[0]}: expected the columns name and lms, and any of {', '.join(COLUMNS)}")
        return 2
    ended = [done(row) for row in rows]
    return 0 if all(ended) else 1


def done(row: dict[str, str]) -> bool:
    """Onboard one client; whether it has a portal now."""
    name = row["name"]
    wish: dict[str, Any] = {column: value for column, value in row.items() if value}
    try:
        told = onboard(Wish(**wish), lambda text: say(f"{name}: {text}"))
    except (PortalError, ConfigError) as error:
        say(f"{name}: failed: {error}")
        return False
    print(json.dumps({key: told[key] for key in TOLD}), flush=True)
    return True


def say(text: str) -> None:
    """A line of progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
